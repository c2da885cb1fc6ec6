"""Files that wait for their form: whose they are, how long, how many, and what becomes of them."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from assets.common.errors import Code, Refused
from assets.common.files.archives.check import passed_check
from assets.datasets.rules import check_archive
from assets.functions.rules import check_function_file
from assets.uploads import registration
from assets.uploads.models import StagedFile, Upload
from assets.uploads.registration import LIFETIME, discard, discard_expired, stage, uploads_of
from tests.builders import CODE, make_dataset, upload, zip_of

pytestmark = pytest.mark.postgresql


def kept(user, content: bytes = b"content", name: str = "notes.md") -> Upload:
    return stage(user, upload(content, name))


def test_a_file_is_kept_as_it_was_sent(alice):
    found = kept(alice)
    assert (found.name, found.file_size, found.user) == ("notes.md", 7, alice)
    with StagedFile(found) as file:
        assert (file.name, file.size, file.read()) == ("notes.md", 7, b"content")


def test_where_it_lies_has_a_name_of_ours(alice):
    found = kept(alice, name="../../evil.md")
    assert found.file.name == f"uploads/{found.pk}"


def test_uploads_are_their_users_only(alice, ada, bob):
    mine, colleagues, theirs = kept(alice), kept(ada), kept(bob)
    assert uploads_of(alice, [theirs.pk, mine.pk, colleagues.pk]) == [mine]


@pytest.mark.django_db(transaction=True)
def test_forgetting_deletes_the_file_once_it_is_certain(alice):
    found = kept(alice)
    with transaction.atomic():
        discard([found])
        assert default_storage.exists(found.file.name)
    assert not default_storage.exists(found.file.name)


@pytest.mark.django_db(transaction=True)
def test_what_is_not_forgotten_after_all_keeps_its_file(alice):
    found = kept(alice)
    with transaction.atomic():
        discard([found])
        transaction.set_rollback(True)
    assert Upload.objects.exists()
    assert default_storage.exists(found.file.name)


@pytest.mark.parametrize(
    ("age", "stays"), [(LIFETIME - timedelta(minutes=1), True), (LIFETIME, False)]
)
def test_uploads_are_forgotten_after_a_day(age, stays, alice):
    found = kept(alice)
    Upload.objects.update(created_at=timezone.now() - age)
    discard_expired()
    assert Upload.objects.filter(pk=found.pk).exists() == stays


def test_whoever_sends_next_has_old_ones_forgotten(alice, bob):
    kept(alice)
    Upload.objects.update(created_at=timezone.now() - 2 * LIFETIME)
    assert kept(bob) == Upload.objects.get()


def test_who_sends_one_has_a_few_forgotten(alice, bob):
    """Not all of a thousand: somebody waits for it."""
    for _ in range(registration.MAX_EXPIRED_PER_UPLOAD + 2):
        kept(alice)
    Upload.objects.update(created_at=timezone.now() - 2 * LIFETIME)
    kept(bob)
    assert Upload.objects.filter(user=alice).count() == 2


# What each kind of archive is checked by.
ARCHIVE_RULES = {
    "data sample": (partial(check_archive, field="file"), "data sample"),
    "function": (check_function_file, "function"),
}


@pytest.mark.parametrize(("check", "word"), ARCHIVE_RULES.values(), ids=ARCHIVE_RULES)
def test_an_archive_is_read_once(check, word, alice, monkeypatch):
    """When it is sent: not again when its form is checked, nor when it is registered."""
    sent = upload(zip_of(CODE), "a.zip")
    assert not list(check(sent))
    waiting = StagedFile(stage(alice, sent))
    monkeypatch.setattr("assets.common.files.archives.check.read_entries", None)
    assert not list(check(sent))
    assert not list(check(waiting))
    assert passed_check(waiting).startswith(word)


def test_what_one_kind_of_archive_has_passed_does_not_do_for_another(alice):
    sent = upload(zip_of({"data.csv": b"1"}), "a.zip")
    assert not list(check_archive(sent, field="file"))
    waiting = StagedFile(stage(alice, sent))
    assert "no Dockerfile" in next(iter(check_function_file(waiting))).message
    waiting.close()


def test_a_bad_archive_is_read_again(alice):
    sent = upload(b"no archive", "a.zip")
    for _ in range(2):
        assert list(check_archive(sent, field="file"))
    assert stage(alice, sent).passed == ""


@pytest.mark.parametrize(("files", "size"), [(2, 1000), (1000, 9)])
def test_there_is_room_for_so_much_of_each_user(files, size, alice, bob, settings, session_of):
    """And the user makes room where the message says so; what is old takes none."""
    settings.MAX_WAITING_FILES, settings.MAX_WAITING_SIZE = files, size
    kept(alice, b"12345")
    kept(alice, b"1234")
    with pytest.raises(Refused) as refused:
        kept(alice, b"1")
    assert refused.value.first.code == Code.BAD_REQUEST
    assert "You have uploaded 2 files (9\xa0bytes)" in refused.value.first.message
    assert "discard the files on your account" in refused.value.first.message
    assert kept(bob, b"12345").file_size == 5

    browser = session_of(alice)
    assert 'href="/account/files/"' in browser.get("/account/").text
    assert "2 files (9\xa0bytes)" in browser.get("/account/files/").text
    assert browser.post("/account/files/").status_code == 302
    assert "You have no unsubmitted files" in browser.get("/account/files/").text
    assert Upload.objects.get().user == bob
    kept(alice, b"123456789")
    Upload.objects.update(created_at=timezone.now() - LIFETIME)
    assert kept(alice, b"1").file_size == 1


def test_files_at_the_same_time_find_no_more_room(alice, settings, monkeypatch):
    """Each was there before the other came, when it was looked first."""
    settings.MAX_WAITING_FILES = 1
    check, looks = registration._check_room, []

    def blind_once(*args):
        looks.append(args)
        if len(looks) > 1:
            check(*args)

    kept(alice)
    monkeypatch.setattr(registration, "_check_room", blind_once)
    with pytest.raises(Refused):
        kept(alice)
    assert Upload.objects.count() == 1


def test_viewers_keep_nothing(victor, root):
    for user in (victor, root):
        with pytest.raises(Refused) as refused:
            kept(user)
        assert refused.value.first.code == Code.FORBIDDEN
    assert not Upload.objects.exists()


def test_a_kept_file_is_opened_when_it_is_read_and_again_after_it_was_closed(alice):
    file = StagedFile(kept(alice))
    assert "file" not in vars(file)
    assert file.read(3) == b"con"
    file.close()
    assert "file" not in vars(file)
    assert file.read(3) == b"con"
    file.close()


def test_check_files_knows_what_waits(alice, capsys):
    found = kept(alice)
    call_command("check_files")
    assert "upload: 1 files, 0 wrong" in capsys.readouterr().out
    default_storage.delete(found.file.name)
    with pytest.raises(CommandError):
        call_command("check_files")
    assert str(found.pk) in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_check_files_forgets_what_no_one_registered_when_it_may_remove(alice, dataset_of_alice):
    found = kept(alice)
    Upload.objects.update(created_at=timezone.now() - LIFETIME)
    call_command("check_files")
    assert Upload.objects.filter(pk=found.pk).exists()
    call_command("check_files", "--remove-orphans")
    assert not Upload.objects.exists()


@pytest.fixture
def dataset_of_alice(alice):
    """Without a row that names a file, the command takes the database for the wrong one."""
    return make_dataset(alice)

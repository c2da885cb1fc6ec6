"""Data samples that stay at runners, and what runners find there."""

import io

import pytest
from django.core.management import call_command
from django.utils import timezone

from assets.common.errors import Refused
from assets.datasets.models import DataSample, DataSampleCheck
from assets.datasets.registration import look_again, samples, samples_to_look_at, save_look
from tests.builders import PUBLIC, make_dataset, make_samples, make_samples_at_runner
from tests.cast import A, B

pytestmark = pytest.mark.django_db

CHECKSUM = "ab" * 32
SECRET = "visits/patient-1"


@pytest.fixture
def dataset(alice, org_b):
    return make_dataset(alice, permissions=PUBLIC)


@pytest.fixture
def sample(alice, dataset):
    return make_samples_at_runner(alice, dataset.pk, paths=[SECRET])[0]


def found_of(sample) -> DataSampleCheck:
    return DataSampleCheck.objects.get(data_sample=sample)


def page(browser, sample, query: str = "") -> str:
    response = browser.get(f"/data-samples/{sample.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


# --- What runners find ---------------------------------------------------------------------------


def test_only_runners_of_the_owner_look(alice, bob, dataset, sample):
    others = make_dataset(bob)
    [other] = make_samples_at_runner(bob, others.pk, paths=[SECRET])
    make_samples(alice, dataset.pk)
    assert [row.data_sample for row in samples_to_look_at(A)] == [sample]
    assert [row.data_sample for row in samples_to_look_at(B)] == [other]


def test_what_was_found_never_changes(sample):
    save_look(sample.pk, checksum=CHECKSUM, size=7)
    assert not samples_to_look_at(A).exists()
    save_look(sample.pk, checksum="cd" * 32, size=8)
    save_look(sample.pk, problem="It is gone.")
    found = found_of(sample)
    assert (found.checksum, found.size, found.problem) == (CHECKSUM, 7, "")


def test_a_problem_stands_until_another_look(alice, sample):
    save_look(sample.pk, problem="There is no such folder." + "x" * 2000)
    assert len(found_of(sample).problem) == 1000
    assert not samples_to_look_at(A).exists()
    save_look(sample.pk, checksum=CHECKSUM, size=7)  # no one has asked for it
    assert not found_of(sample).checksum
    look_again(sample, alice)
    assert [row.data_sample for row in samples_to_look_at(A)] == [sample]
    assert not found_of(sample).problem
    save_look(sample.pk, checksum=CHECKSUM, size=7)
    assert found_of(sample).checksum == CHECKSUM


def test_a_path_registered_meanwhile_is_refused(alice, dataset, monkeypatch):
    """The second of two requests at once finds nothing when it checks."""
    make_samples_at_runner(alice, dataset.pk, paths=["p1"])
    monkeypatch.setattr(samples, "check_data_samples", lambda *_, **__: [])
    with pytest.raises(Refused, match="p1 is registered already"):
        make_samples_at_runner(alice, dataset.pk, paths=["p0", "p1"])
    assert list(DataSample.objects.values_list("path", flat=True)) == ["p1"]


def test_the_check_of_files_leaves_runners_alone(sample):
    out = io.StringIO()
    call_command("check_files", stdout=out)
    assert SECRET not in out.getvalue()


# --- Pages ---------------------------------------------------------------------------------------

FOUND = {
    "not yet checked": {},
    "checked": {"checksum": CHECKSUM, "size": 7},
    "problem": {"problem": "There is no such folder."},
}


@pytest.mark.parametrize("state", FOUND)
@pytest.mark.parametrize(("who", "is_shown"), [("alice", True), ("victor", True), ("bob", False)])
def test_the_state_is_shown_to_all_and_what_was_found_to_the_owner(
    state, who, is_shown, request, session_of, sample
):
    if FOUND[state]:
        save_look(sample.pk, **FOUND[state])
    browser = session_of(request.getfixturevalue(who))
    html = page(browser, sample)
    assert f"stays at a runner of {A}" in html
    heading = html.partition("page-heading")[2].partition('class="actions"')[0]
    assert f">{state}</span>" in heading
    assert ("The next free runner" in html) == (is_shown and state == "not yet checked")
    assert (SECRET in html) == is_shown
    for value in FOUND[state].values():
        if isinstance(value, str):
            assert (value in html) == is_shown
    assert "cannot be downloaded" in html
    for listing in ("/data-samples/", f"/datasets/{sample.datasets.get().pk}/"):
        assert f"stays at a runner of {A}, {state}" in browser.get(listing).content.decode()


@pytest.mark.parametrize(("who", "may"), [("alice", True), ("victor", False), ("bob", False)])
def test_look_again(who, may, request, session_of, sample):
    browser = session_of(request.getfixturevalue(who))
    assert "Look again" not in page(browser, sample)
    save_look(sample.pk, problem="There is no such folder.")
    assert ("Look again" in page(browser, sample)) == may
    response = browser.post(f"/data-samples/{sample.pk}/", follow=True)
    assert response.status_code == (200 if may else 422)
    assert samples_to_look_at(A).exists() == may


def test_what_a_runner_has_checked_is_not_looked_at_again(alice, session_of, sample):
    save_look(sample.pk, checksum=CHECKSUM, size=7)
    response = session_of(alice).post(f"/data-samples/{sample.pk}/")
    assert response.status_code == 422
    assert "What it found stays" in response.content.decode()


@pytest.mark.parametrize(("who", "path"), [("alice", SECRET), ("bob", "PATH OF THE FOLDER")])
def test_as_code(who, path, request, session_of, sample):
    html = page(session_of(request.getfixturevalue(who)), sample, "?code")
    assert "runner_paths" in html
    assert path in html


def test_the_form_as_code(alice, session_of, dataset):
    data = {"datasets": [str(dataset.pk)], "runner_paths": "p1\np2\n", "action": "code"}
    html = session_of(alice).post("/data-samples/new/", data).content.decode()
    assert "curl" in html
    assert "runner_paths" in html
    assert not DataSample.objects.exists()


@pytest.mark.parametrize(("look", "path"), [("waiting", "p0"), ("found", "p1"), ("problem", "p2")])
def test_the_list_is_filtered_by_what_was_found(alice, dataset, session_of, look, path):
    samples = make_samples_at_runner(alice, dataset.pk, paths=["p0", "p1", "p2"])
    make_samples(alice, dataset.pk)
    save_look(samples[1].pk, checksum=CHECKSUM)
    save_look(samples[2].pk, problem="There is no such folder.")
    response = session_of(alice).get(f"/data-samples/?look={look}")
    assert [row.record.path for row in response.context["table"].rows] == [path]


@pytest.mark.parametrize("count", [2, 20])
def test_statements_of_lists_do_not_grow(
    count, alice, dataset, session_of, django_assert_num_queries
):
    make_samples_at_runner(alice, dataset.pk, paths=[f"p{number}" for number in range(count)])
    browser = session_of(alice)
    browser.get("/data-samples/")
    with django_assert_num_queries(7):
        browser.get("/data-samples/")


# --- The API -------------------------------------------------------------------------------------


def test_programs_read_what_a_runner_found(alice, client_of, sample):
    url = f"/api/data_sample/{sample.pk}/look/"
    api = client_of(alice)
    unseen = {"checked_at": None, "checksum": "", "size": 0, "problem": ""}
    assert api.get(url).json() == unseen
    save_look(sample.pk, problem="There is no such folder.")
    answer = api.get(url).json()
    assert answer["problem"] == "There is no such folder."
    assert answer["checked_at"] <= timezone.now().isoformat()
    assert api.post(url).json() == unseen
    save_look(sample.pk, checksum=CHECKSUM, size=7)
    assert api.get(url).json() | {"checked_at": ""} == {
        **unseen,
        "checked_at": "",
        "checksum": CHECKSUM,
        "size": 7,
    }
    assert api.post(url).status_code == 400


def test_no_runner_looks_at_an_upload(alice, client_of, dataset):
    [sample] = make_samples(alice, dataset.pk)
    assert client_of(alice).get(f"/api/data_sample/{sample.pk}/look/").status_code == 404

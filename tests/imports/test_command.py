"""`manage.py import`: what it prints, and what a second run finds."""

import io
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command

from assets.common.files.storage import NoSpace
from assets.datasets.models import DataSample, Dataset
from assets.feed.models import Event
from assets.imports import registration
from assets.imports.registration import Import
from assets.imports.sources import FolderSource
from tests.files.stored import nothing_left

from .studies import dataset_lines, datasets_csv, only, study, write

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(folder, *options, user="alice", err=None) -> str:
    out = io.StringIO()
    call_command(
        "import", folder, "--user", user, *options, stdout=out, stderr=err or io.StringIO()
    )
    return out.getvalue()


def failing(folder, *options, **names) -> str:
    with pytest.raises(CommandError) as error:
        run(folder, *options, **names)
    return str(error.value)


def test_an_import_and_a_second_one(folder):
    write(folder, study())
    assert run(folder) == "5 registered.\n"
    with nothing_left():
        assert run(folder) == "5 registered before.\n"
    assert Event.objects.filter(public=True, actor__username="alice").count() == 5


def test_a_dry_run_writes_nothing(folder):
    write(folder, study())
    with nothing_left():
        assert run(folder, "--dry-run").endswith("5 can be registered.\n")


def test_warnings_of_a_dry_run(folder):
    write(folder, {**study(), "openers/opener.py": b"no python(", "notes.md": b"\xff"})
    printed = run(folder, "--dry-run")
    assert "datasets.csv, line 3: data_opener: warning: " in printed
    assert "functions.json, item 1: description: warning: This file is not UTF-8 text" in printed
    assert "warning: " not in run(folder)


def test_what_was_added_is_registered(folder):
    run(write(folder, study(count=2)))
    assert run(write(folder, study(count=4))) == "2 registered, 5 registered before.\n"


def test_a_row_that_has_changed_is_another_asset(folder):
    run(write(folder, only("datasets.csv", datasets_csv(*dataset_lines(1)))))
    (folder / "notes.md").write_text("# Other notes\n")
    assert run(folder) == "1 registered.\n"
    assert Dataset.objects.count() == 2


def test_a_renamed_dataset_is_known(folder):
    run(write(folder, study()))
    Dataset.objects.filter(name="Ward 1").update(name="Renamed")
    assert run(folder) == "5 registered before.\n"


def test_another_organisation_registers_its_own(folder):
    run(write(folder, study()))
    assert run(folder, user="bob") == "5 registered.\n"


def test_problems_are_printed_and_the_rest_is_registered(folder):
    lines = dataset_lines(3)
    lines[1] = (*lines[1][:3], "no.md", *lines[1][4:])
    write(folder, only("datasets.csv", datasets_csv(*lines)))
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^2 registered, 1 with problems\. Fix these rows"):
        call_command("import", folder, "--user", "alice", stdout=out, stderr=io.StringIO())
    assert out.getvalue() == (
        'datasets.csv, line 3: description: there is no file "no.md". Add it, or correct the '
        "path; letter case counts.\n"
    )
    assert Dataset.objects.count() == 2


def test_stopping_at_the_first_problem(folder):
    lines = dataset_lines(3)
    lines[1] = (*lines[1][:3], "no.md", *lines[1][4:])
    write(folder, only("datasets.csv", datasets_csv(*lines)))
    assert failing(folder, "--stop-at-first").startswith("1 registered, 1 with problems.")
    assert Dataset.objects.get().name == "Ward 1"


def test_the_keys_are_printed_when_asked_for(folder):
    write(folder, only("datasets.csv", datasets_csv(*dataset_lines(1))))
    printed = run(folder, "--verbosity", "2")
    key = Dataset.objects.get().pk
    assert printed.startswith(f"datasets.csv, line 2: Ward 1 ({key}) registered\n")


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("mallory", "There is no active user 'mallory'. Give another name."),
        ("victor", "victor: Your role is viewer, which cannot register or change anything."),
        ("root", "root: Your account belongs to no organisation."),
    ],
)
def test_who_may_not(folder, user, message):
    write(folder, study())
    with nothing_left():
        assert failing(folder, user=user).startswith(message)


def test_what_is_no_folder_with_lists(folder):
    assert failing(folder) == f"{folder} is not a folder. Give the folder with the lists."
    folder.mkdir()
    assert failing(folder).startswith(f"{folder}: there is no list. Add datasets.csv")


# --- Progress ------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar(folder):
    err = Terminal()
    run(write(folder, study()), err=err)
    assert err.getvalue().endswith(f"\r[{'#' * 30}] 5 of 5 rows\n")


def test_without_a_terminal_progress_is_lines(folder, monkeypatch):
    command = import_module("assets.management.commands.import")
    monkeypatch.setattr(command, "ROWS_PER_LINE", 2)
    err = io.StringIO()
    run(write(folder, study()), err=err)
    assert err.getvalue() == "2 of 5 rows\n4 of 5 rows\n"


# --- Interruptions -------------------------------------------------------------------------------


def fail_at(monkeypatch, number: int, error: Exception) -> None:
    """Let the registration of the `number`-th dataset fail."""
    register, left = registration.REGISTER[registration.DATASETS], [number]

    def registered(*args, **kwargs):
        left[0] -= 1
        if not left[0]:
            raise error
        return register(*args, **kwargs)

    monkeypatch.setitem(registration.REGISTER, registration.DATASETS, registered)


def test_a_full_disk_stops_the_run_and_the_next_one_continues(folder, monkeypatch):
    write(folder, study(count=3))
    with monkeypatch.context() as patch:
        fail_at(patch, 3, NoSpace("no space left"))
        message = failing(folder)
    assert message == (
        "Stopped after 2 of 6 rows: no space left. Run the command again: it continues with the "
        "rows that are not registered."
    )
    assert run(folder) == "4 registered, 2 registered before.\n"


def test_another_run_at_the_same_time(folder, monkeypatch):
    """The other one registers everything right after this one has looked."""
    write(folder, study())
    look, looked = registration._registered, []

    def nothing_yet(items):
        looked.append(items)
        if len(looked) == 1:
            run(folder)
        return set() if len(looked) == 1 else look(items)

    monkeypatch.setattr(registration, "_registered", nothing_yet)
    assert run(folder).endswith("5 registered before.\n")
    assert (Dataset.objects.count(), DataSample.objects.count()) == (2, 2)


# --- Cost ----------------------------------------------------------------------------------------


def test_queries_of_a_dry_run(alice, folder, django_assert_num_queries):
    """For each hundred rows, one asks which of them are registered."""
    write(folder, only("datasets.csv", datasets_csv(*dataset_lines(250))))
    with django_assert_num_queries(3):
        list(Import(FolderSource(folder), alice).outcomes(dry_run=True))

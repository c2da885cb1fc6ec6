"""What every engine says about limits, and what it measures for them."""

import os
import time

import pytest

from assets.runner.engines import Limits
from assets.runner.engines.limits import LastBytes, exceeded, exit_message, size_text, written
from assets.runner.scratch import remove_tree

LIMITS = Limits(seconds=60, memory=2**30, output_bytes=10_000)
NO_MEMORY = "Perhaps the machine had no memory left: let it run fewer jobs at once."


@pytest.fixture
def folder(tmp_path):
    for name in ("work", "outputs"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("chunks", "last"),
    [
        ([], b""),
        ([b"abc"], b"abc"),
        ([b"abc", b"def"], b"bcdef"),
        ([b"a", b"", b"b", b"c", b"d", b"e", b"f"], b"bcdef"),
        ([b"abcdefghij"], b"fghij"),
        ([b"abcdefghij", b"k"], b"ghijk"),
    ],
)
def test_the_last_bytes_stay(chunks, last):
    log = LastBytes(5)
    for chunk in chunks:
        log.add(chunk)
    assert log.value() == last


def test_long_streams_take_little_memory():
    log = LastBytes(1000)
    for _ in range(10_000):
        log.add(b"x" * 100)
    assert len(log._end) <= 2000


@pytest.mark.parametrize(
    ("text", "value"), [(b"", b"why\n"), (b"a\n", b"a\nwhy\n"), (b"a", b"a\nwhy\n")]
)
def test_the_cause_has_a_line_of_its_own_at_the_end(text, value):
    log = LastBytes(100)
    log.add(text)
    assert log.value("why") == value


def test_the_cause_is_among_the_last_bytes():
    log = LastBytes(8)
    log.add(b"long text")
    assert log.value("why") == b"ext\nwhy\n"


def test_a_job_within_its_limits_goes_on(folder):
    (folder / "outputs" / "model").write_bytes(b"x" * 1000)
    assert exceeded(folder, LIMITS, time.monotonic()) == ""


def test_a_job_that_takes_too_long_ends(folder):
    assert exceeded(folder, LIMITS, time.monotonic() - 61) == (
        "The function ran for more than 60 seconds. Give it less to do, or start the runner with "
        "a higher --time-limit."
    )


@pytest.mark.parametrize("name", ["work/a/b/file", "outputs/model"])
def test_a_job_that_writes_too_much_ends(folder, name):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 20_000)
    message = exceeded(folder, LIMITS, time.monotonic())
    assert message.startswith("The function wrote more than 9.766 KiB. Let it write less, or start")


def test_empty_files_count(folder):
    for number in range(50):
        (folder / "work" / str(number)).touch()
    assert written(folder / "work") >= 50 * 256


def test_what_links_name_does_not_count(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "large").write_bytes(b"x" * 100_000)
    (folder / "work" / "link").symlink_to(elsewhere)
    assert written(folder / "work") < 10_000


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (0, ""),
        (1, "The function ended with the exit code 1."),
        (-9, f"The function was ended by the signal SIGKILL. {NO_MEMORY}"),
        (137, f"The function was ended by the signal SIGKILL. {NO_MEMORY}"),
        (139, "The function was ended by the signal SIGSEGV."),
        (255, "The function ended with the exit code 255."),
    ],
)
def test_what_an_exit_code_says(code, message):
    assert exit_message(code) == message


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (5, "5 bytes"),
        (2048, "2 KiB"),
        (1_048_575, "1024 KiB"),
        (1_600_000, "1.526 MiB"),
        (2**31, "2 GiB"),
        (2**41, "2 TiB"),
    ],
)
def test_sizes_are_readable(size, text):
    assert size_text(size) == text


def make_deep(folder) -> None:
    """Nest folders deeper than a path, or calls of Python, can reach."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("nested", dir_fd=here)
        below = os.open("nested", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_what_is_too_deep_to_see_ends_a_job(folder):
    make_deep(folder / "work")
    assert "a folder that cannot be looked into" in exceeded(folder, LIMITS, time.monotonic())
    remove_tree(folder)
    assert not folder.exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root sees everything")
def test_closed_folders_end_a_job(folder):
    closed = folder / "work" / "closed"
    (closed / "in").mkdir(parents=True)
    (closed / "in" / "file").touch()
    closed.chmod(0o300)
    assert "a folder that cannot be looked into" in exceeded(folder, LIMITS, time.monotonic())
    remove_tree(folder)
    assert not folder.exists()


def test_removing_follows_no_links(folder, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    (kept / "file").touch()
    (folder / "work" / "folder").mkdir()
    (folder / "work" / "folder" / "link").symlink_to(kept)
    (folder / "work" / "link").symlink_to(kept / "file")
    remove_tree(folder)
    assert not folder.exists()
    assert (kept / "file").exists()

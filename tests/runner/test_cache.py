"""What a runner keeps on its disk, among threads and processes, within a size."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from assets.runner.cache import Cache
from assets.runner.stopping import Stopped

BLOCK = 64 * 1024


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path, 4 * BLOCK + BLOCK // 2)


def writing(content=b"x" * BLOCK):
    return lambda path: path.write_bytes(content)


def refuse(path):
    raise AssertionError(f"{path} is made again")


def keep(cache, *names):
    for name in names:
        with cache.held(name, writing(), Event()) as path:
            assert path.stat().st_size == BLOCK


def names(cache):
    return {path.name for path in cache.entries.iterdir()}


def test_an_entry_is_made_once(cache, tmp_path):
    keep(cache, "a")
    with cache.held("a", refuse, Event()) as path:
        assert path.read_bytes() == b"x" * BLOCK
    with Cache(tmp_path, 0).held("a", refuse, Event()) as path:
        assert path.name == "a"


def test_a_folder_is_an_entry(cache):
    def make(path):
        path.mkdir()
        (path / "file").write_text("content")

    with cache.held("a", make, Event()) as path:
        assert (path / "file").read_text() == "content"


def test_what_was_used_longest_ago_goes_first(cache):
    keep(cache, "a", "b", "c", "d", "a", "e")
    assert names(cache) == {"a", "c", "d", "e"}
    assert {path.name for path in cache.locks.iterdir()} == names(cache)
    keep(cache, "f", "g")
    assert names(cache) == {"a", "e", "f", "g"}


def test_what_is_in_use_stays(cache):
    with cache.held("a", writing(), Event()) as path:
        keep(cache, *"bcdefg")
        assert path.exists()
    assert "a" in names(cache)
    keep(cache, "h")
    assert "a" not in names(cache)


def test_larger_than_the_cache(cache):
    with cache.held("a", writing(b"x" * 9 * BLOCK), Event()) as path:
        assert path.stat().st_size == 9 * BLOCK
    keep(cache, "b")
    assert names(cache) == {"b"}


def test_what_fails_is_not_kept(cache):
    def fail(path):
        path.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"), cache.held("a", fail, Event()):
        pass
    assert names(cache) == set()
    assert not list(cache.unfinished.iterdir())
    keep(cache, "a")


def test_what_was_interrupted_is_made_again(cache, tmp_path):
    (cache.unfinished / "a").mkdir()
    (cache.unfinished / "b").write_text("half")
    keep(cache, "b")
    Cache(tmp_path, 0)
    assert not list(cache.unfinished.iterdir())


def test_threads_make_it_once(cache):
    made = []

    def make(path):
        made.append(path)
        path.write_bytes(b"x")

    def use(_number):
        with cache.held("a", make, Event()) as path:
            return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(50))) == {b"x"}
    assert len(made) == 1


def test_a_wait_can_be_stopped(cache):
    stop = Event()
    stop.set()

    def make(path):
        with pytest.raises(Stopped), cache.held("a", refuse, stop):
            pass
        path.write_text("")

    with cache.held("a", make, Event()):
        pass


def _use_many(folder, seed):
    cache = Cache(folder, 4 * BLOCK)
    for step in range(40):
        name = str((seed * 7 + step * 5) % 6)
        with cache.held(name, writing(name.encode() * BLOCK), Event()) as path:
            assert path.read_bytes() == name.encode() * BLOCK


def _die_making(folder, name):
    def make(path):
        path.write_text("half")
        os._exit(9)

    with Cache(folder, 4 * BLOCK).held(name, make, Event()):
        pass


def exit_codes(function, *arguments):
    """Run a function in processes of their own, one for each of the arguments."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=function, args=each) for each in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def test_processes_share_a_folder(tmp_path):
    assert exit_codes(_use_many, *((tmp_path, seed) for seed in range(3))) == [0, 0, 0]
    assert len(list((tmp_path / "entries").iterdir())) <= 6
    assert not list((tmp_path / "unfinished").iterdir())


def test_what_a_killed_process_made_is_made_again(cache, tmp_path):
    assert exit_codes(_die_making, (tmp_path, "a")) == [9]
    assert (cache.unfinished / "a").read_text() == "half"
    keep(cache, "a")

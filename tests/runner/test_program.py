"""The runner at work, with a server's stand-in and an engine that does what a test says."""

import json
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from assets.common.files.digest import folder_digest
from assets.runner import program, samples
from assets.runner.cache import Cache
from assets.runner.client import Client
from assets.runner.connection import Connection, Refusal, TokenRefused
from assets.runner.engines import EngineError, Limits, Outcome
from assets.runner.program import Program
from assets.runner.samples import DataRoot
from assets.runner.work import Worker
from tests.properties.archives import Item, tar_of_items, zip_of_items

from .engine import FakeEngine
from .server import CUT, HALF, LATE, TOKEN

DOCKERFILE = b'FROM x\nENTRYPOINT ["python3", "function.py", "--function-name", "train"]\n'
ARCHIVE = zip_of_items([Item("Dockerfile", content=DOCKERFILE), Item("function.py")])
MODEL = {"identifier": "model", "kind": "ASSET_MODEL", "multiple": False}
SCORE = {"identifier": "score", "kind": "ASSET_PERFORMANCE", "multiple": False}


@pytest.fixture
def runner(server, console, tmp_path):
    """Make a runner with an engine; `jobs`, `once` and others may differ from the usual."""

    def make(engine, *, jobs=1, once=True, grace=30.0, data_root=None, output_limit=10**6):
        client = Client(Connection(server.url, TOKEN, console.append))
        scratch = tmp_path / "jobs" / str(uuid4())
        scratch.mkdir(parents=True)
        cache = Cache(tmp_path / "cache", 10**8)
        limits = Limits(60, 10**9, output_limit)
        worker = Worker(client, engine, cache, DataRoot(data_root), limits, scratch)
        claim = {"jobs": jobs, "version": "1", "engine": engine.name, "data_root": bool(data_root)}
        return Program(client, worker, claim, console.append, grace=grace, once=once)

    yield make
    # Nothing of a job stays, however it ended.
    server.wait_for(lambda: not list((tmp_path / "jobs").glob("*/*")))


@pytest.fixture
def short_leases(server, monkeypatch):
    server.expires_in = 0.3
    monkeypatch.setattr(program, "_TICK", 0.05)


@contextmanager
def running(made):
    """Run a program in a thread, and stop it at the end."""
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def task(server, *, outputs=(MODEL,), archive=ARCHIVE, **job):
    function = server.add_function("train", archive)
    return server.add(function=function, outputs=list(outputs), **job)


def train(call):
    for identifier, path in call.outputs.items():
        path.write_text('{"all": 0.5}' if identifier == "score" else "weights")


# --- One job --------------------------------------------------------------------------------------


def test_a_task_is_run_and_reported(server, runner, console, tmp_path):
    opener = server.add_input("ASSET_DATA_MANAGER", b"import pandas\n", identifier="opener")
    archive = zip_of_items([Item("data.csv", content=b"1,2\n")])
    samples = [
        server.add_input("ASSET_DATA_SAMPLE", archive, identifier="datasamples", multiple=True)
        for _ in range(2)
    ]
    model = server.add_input("ASSET_MODEL", b"old weights", identifier="é model")
    read = {}

    def function(call):
        for each in call.inputs:
            read.setdefault(each["id"], []).append(each)
        assert (call.folder.function / "function.py").is_file()
        for each in read["datasamples"]:
            assert Path(each["value"], "data.csv").read_text() == "1,2\n"
        assert Path(read["é model"][0]["value"]).read_text() == "old weights"
        train(call)

    engine = FakeEngine(function)
    key = task(server, outputs=[MODEL, SCORE], inputs=[model, opener, *samples])
    runner(engine).run()

    name, report = server.ended[key]
    assert name == "finish"
    assert report["performances"] == {"score": 0.5}
    steps = ["download_function", "prepare_inputs", "task_execution", "save_outputs"]
    assert list(report["steps"]) == steps
    assert all(isinstance(value, int) for value in report["steps"].values())
    assert [model for (job, _), model in server.models.items() if job == key] == [
        ("model", b"weights")
    ]
    assert len(console) == 1
    assert "train: done (" in console[0]
    # What the function got.
    (call,) = engine.calls
    assert call.options["--function-name"] == "train"
    assert json.loads(call.options["--task-properties"]) == {"rank": 3}
    assert call.options["--log-path"].startswith(str(call.folder.work))
    assert "--fake-data" not in call.options
    assert list(read) == ["é model", "opener", "datasamples"]
    assert read["opener"][0]["value"].endswith(".py")
    assert [each["value"].rpartition("/")[2] for each in read["datasamples"]] == [
        sample["key"] for sample in samples
    ]
    assert [each["multiple"] for each in read["datasamples"]] == [True, True]


def test_every_link_of_a_job_leads_to_what_the_engine_may_show(server, runner):
    seen = []

    def function(call):
        links = [path for path in call.folder.path.rglob("*") if path.is_symlink()]
        seen.append({path.resolve() for path in links} == set(call.folder.readable))
        assert not any(path.resolve().is_relative_to(call.folder.path) for path in links)
        train(call)

    key = task(server, inputs=[server.add_input("ASSET_MODEL", b"x")])
    runner(FakeEngine(function)).run()
    assert seen == [True]
    assert server.ended[key][0] == "finish"


def test_files_are_fetched_once(server, runner):
    model = server.add_input("ASSET_MODEL", b"old weights")
    keys = [task(server, inputs=[model]) for _ in range(3)]
    runner(FakeEngine(train)).run()
    assert set(server.ended) == set(keys)
    assert server.requests[f"GET /files/{model['key']}/"] == 1
    assert sum("/function/" in request for request in server.requests) == 1


def test_a_model_is_not_fetched_by_the_runner_that_made_it(server, runner):
    first = task(server)
    made = runner(FakeEngine(train))
    made.run()
    assert server.ended[first][0] == "finish"
    task(server, inputs=[server.add_input("ASSET_MODEL", b"weights")])
    made.run()
    assert not any("/files/" in request for request in server.requests)
    assert len(server.ended) == 2


def test_a_function_is_built(server, runner):
    function = server.add_function("train", ARCHIVE)
    key = server.add(kind="build", function=function, task=None)
    engine = FakeEngine()
    runner(engine).run()
    assert engine.built == [function["checksum"]]
    name, report = server.ended[key]
    assert name == "finish"
    assert list(report["steps"]) == ["save_function", "build_image"]


BUILDS = {
    "the engine": (ARCHIVE, Outcome("BUILD_ERROR", b"no package numpi"), "no package numpi"),
    "no ENTRYPOINT": (
        zip_of_items([Item("Dockerfile", content=b"FROM x"), Item("function.py")]),
        None,
        'has no ENTRYPOINT. Add one such as ENTRYPOINT ["python3"',
    ),
    "no archive": (b"text" * 999, None, "The function's archive: not a readable zip or tar"),
}


@pytest.mark.parametrize(("archive", "outcome", "why"), BUILDS.values(), ids=BUILDS)
def test_a_build_that_fails_says_why(server, runner, console, archive, outcome, why):
    function = server.add_function("train", archive)
    key = server.add(kind="build", function=function, task=None)
    runner(FakeEngine(building=lambda _path: outcome)).run()
    name, report = server.ended[key]
    assert (name, report["error_type"]) == ("fail", "BUILD_ERROR")
    assert why in report["logs"]
    assert f"failed: {report['logs'].strip()}" in console[-1]


def write(content):
    return lambda path: path.write_text(content)


OUTPUTS = {
    "nothing": (MODEL, lambda path: None, 'ended without writing the output "model"'),
    "a folder": (MODEL, lambda path: path.mkdir(), 'The output "model" is a folder.'),
    "a link": (MODEL, lambda path: path.symlink_to("/etc/passwd"), "is a link."),
    "too much": (MODEL, write("x" * 10**6 + "y"), "KiB are allowed. Write less"),
    "no performance": (SCORE, lambda path: None, "ended without writing"),
    "a performance's folder": (SCORE, lambda path: path.mkdir(), "is a folder."),
    "a performance's link": (SCORE, lambda path: path.symlink_to("/etc/passwd"), "is a link."),
    "no JSON": (SCORE, write("0,5"), "is no number: its file has '0,5'"),
    "no object": (SCORE, write("0.5"), "is no number: its file has '0.5'"),
    "a list": (SCORE, write("[0.5]"), "is no number"),
    "another name": (SCORE, write('{"any": 1}'), "is no number"),
    "a text": (SCORE, write('{"all": "1"}'), "is no number"),
    "a truth": (SCORE, write('{"all": true}'), "is no number"),
    "null": (SCORE, write('{"all": null}'), "is no number"),
    "NaN": (SCORE, write('{"all": NaN}'), 'The performance "score" is nan, which is not finite'),
    "infinity": (SCORE, write('{"all": -Infinity}'), "is -inf, which is not finite"),
    "a huge number": (SCORE, write('{"all": 1' + "0" * 400 + "}"), "is inf, which is not finite"),
    "nested without end": (SCORE, write("[" * 60_000), "is no number"),
    "a long performance": (SCORE, write(" " * 70_000 + '{"all": 1}'), "are allowed"),
}


@pytest.mark.parametrize(("output", "make", "why"), OUTPUTS.values(), ids=OUTPUTS)
def test_bad_outputs_fail_the_task(server, runner, output, make, why):
    def function(call):
        make(call.outputs[output["identifier"]])
        return Outcome(logs=b"training")

    key = task(server, outputs=[output])
    runner(FakeEngine(function)).run()
    name, report = server.ended[key]
    assert (name, report["error_type"]) == ("fail", "EXECUTION_ERROR")
    assert report["logs"].startswith("training\n")
    assert why in report["logs"]
    assert "save_outputs" in report["steps"]


def test_no_model_is_sent_of_a_task_that_fails(server, runner):
    def function(call):
        call.outputs["model"].write_text("weights")

    key = task(server, outputs=[MODEL, SCORE])
    runner(FakeEngine(function)).run()
    assert server.ended[key][0] == "fail"
    assert not server.models


LOGS = {
    "text": (b"Traceback: \xc3\xa9", "Traceback: é"),
    "no UTF-8": (b"\xff\xfe", "\ufffd\ufffd"),
    "its end": (b"x" * 2**20 + "é".encode() * 100, "x" * (2**20 - 200) + "é" * 100),
    "its end in the middle of a letter": ("é".encode() * 2**20 + b"x", "é" * (2**19 - 1) + "x"),
    "longer as text": (b"\xff" * 2**20, "\ufffd" * (2**20 // 3)),
}


@pytest.mark.parametrize(("logs", "text"), LOGS.values(), ids=LOGS)
def test_the_end_of_the_logs_is_reported(server, runner, logs, text):
    key = task(server)
    runner(FakeEngine(lambda call: Outcome("EXECUTION_ERROR", logs))).run()
    report = server.ended[key][1]
    assert report["error_type"] == "EXECUTION_ERROR"
    assert report["logs"] == text
    assert len(report["logs"].encode()) <= 2**20


def fail(error):
    def function(_call):
        raise error

    return function


FAILURES = {
    "a full disk": OSError(28, "No space left on device"),
    "a mistake of ours": KeyError("x"),
}


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
def test_a_failure_of_the_runner_is_an_internal_error_without_logs(server, runner, console, error):
    key, other = task(server), task(server)
    engine = FakeEngine(fail(error))
    runner(engine).run()
    for each in (key, other):
        name, report = server.ended[each]
        assert (name, report["error_type"], report["logs"]) == ("fail", "INTERNAL_ERROR", "")
    assert str(error) in console[-1]
    assert any("Traceback" in line for line in console) == isinstance(error, KeyError)


def test_an_input_that_is_not_there_is_an_internal_error(server, runner, console):
    missing = server.add_input("ASSET_MODEL", b"x")
    server.files.clear()
    key = task(server, inputs=[missing])
    runner(FakeEngine(train)).run()
    assert server.ended[key][1]["error_type"] == "INTERNAL_ERROR"
    assert "Not found" in console[-1]


def test_a_sample_that_cannot_be_unpacked_fails_the_task(server, runner):
    sample = server.add_input("ASSET_DATA_SAMPLE", b"text" * 999)
    key = task(server, inputs=[sample])
    runner(FakeEngine(train)).run()
    report = server.ended[key][1]
    assert report["error_type"] == "EXECUTION_ERROR"
    assert report["logs"].startswith(f"The data sample {sample['key']}: not a readable zip")


def test_a_sample_that_is_a_folder_on_the_server(server, runner, tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "data.csv").write_text("1,2\n")
    content = tar_of_items([Item("data.csv", content=b"1,2\n")])
    checksum, _size = folder_digest(tmp_path / "sample")
    sample = server.add_input("ASSET_DATA_SAMPLE", content, is_folder=True, checksum=checksum)
    changed = {**sample, "checksum": "0" * 64}

    def function(call):
        assert Path(call.inputs[0]["value"], "data.csv").read_text() == "1,2\n"
        train(call)

    key, other = task(server, inputs=[sample]), task(server, inputs=[changed])
    runner(FakeEngine(function)).run()
    assert server.ended[key][0] == "finish"
    assert "its folder on the server has changed" in server.ended[other][1]["logs"]


def test_results_that_the_server_refuses_are_an_internal_error(server, runner, console):
    key = task(server)
    server.faults.append(("POST", "/finish/", 400))
    runner(FakeEngine(train)).run()
    assert server.ended[key][1]["error_type"] == "INTERNAL_ERROR"
    assert "The server refuses the results: POST" in console[-1]


def test_a_dry_run_invents_its_data_and_registers_nothing(server, runner):
    opener = server.add_input("ASSET_DATA_MANAGER", b"", identifier="opener")
    function = server.add_function("train", ARCHIVE)

    def dry(call):
        train(call)
        return Outcome(logs=b"0 warnings")

    engine = FakeEngine(dry)
    key = server.add(
        kind="trial",
        function=function,
        task=None,
        inputs=[opener],
        outputs=[MODEL, SCORE],
        fake_samples=7,
    )
    runner(engine).run()
    name, report = server.ended[key]
    assert name == "finish"
    assert report["logs"] == "0 warnings"
    assert report["performances"] == {"score": 0.5}
    assert not server.models
    (call,) = engine.calls
    assert call.options["--fake-data"] == ""
    assert call.options["--n-fake-samples"] == "7"


# --- Faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [CUT, LATE, HALF, 503], ids=str)
def test_a_lost_network_loses_nothing(server, runner, console, fault):
    model = server.add_input("ASSET_MODEL", b"old" * 10**5)
    key = task(server, outputs=[MODEL, SCORE], inputs=[model])
    # A claim whose answer is lost is another runner's after its lease.
    places = [("GET", "/function/"), ("GET", "/files/"), ("PUT", "/model/"), ("POST", "/finish/")]
    server.faults += [(*place, fault) for place in places] * 2
    runner(FakeEngine(train)).run()
    assert server.ended[key][0] == "finish"
    assert [content for _, content in server.models.values()] == [b"weights"]
    assert not server.faults
    assert "done" in console[-1]


@pytest.mark.usefixtures("short_leases")
def test_what_has_to_stop_is_ended_within_a_renewal(server, runner, console):
    key = task(server)
    begun = Event()

    def function(call):
        begun.set()
        assert call.stop.wait(30)

    with running(runner(FakeEngine(function), once=False)):
        assert begun.wait(30)
        server.stops[key] = "The plan is cancelled."
        server.wait_for(lambda: console)
        assert "stopped: The plan is cancelled." in console[0]
        # It goes on with other work.
        other = task(server)
        server.stops[other] = "This one, too."
        server.wait_for(lambda: len(console) > 1)
    assert not server.ended


def renewals(server):
    return server.requests["POST /api/runner/renew/"]


@pytest.mark.usefixtures("short_leases")
def test_clocks_may_differ(server, runner, monkeypatch):
    key = task(server)

    def function(call):
        now = time.time
        for hours in (-1, 1):
            monkeypatch.setattr(time, "time", lambda hours=hours: now() + hours * 3600)
            wanted = renewals(server) + 3
            server.wait_for(lambda wanted=wanted: renewals(server) >= wanted)
        train(call)

    runner(FakeEngine(function)).run()
    assert server.ended[key][0] == "finish"


@pytest.mark.usefixtures("short_leases")
def test_leases_are_renewed_as_long_as_jobs_run(server, runner):
    key = task(server)

    def function(call):
        server.wait_for(lambda: renewals(server) > 5)
        train(call)

    runner(FakeEngine(function)).run()
    assert server.ended[key][0] == "finish"
    # Nothing runs: nothing is renewed.
    before = renewals(server)
    runner(FakeEngine(train)).run()
    assert renewals(server) == before


def test_a_lost_lease_drops_the_job(server, runner, console):
    key, other = task(server), task(server)
    server.lost.add(key)
    runner(FakeEngine(train)).run()
    assert list(server.ended) == [other]
    assert "lost: " in console[0]
    assert "done" in console[1]


def test_steps_of_long_jobs_are_reported_while_they_run(server, runner, monkeypatch):
    monkeypatch.setattr(program, "_TICK", 0.05)
    key = task(server)

    def function(call):
        server.wait_for(lambda: key in server.steps)
        train(call)

    runner(FakeEngine(function)).run()
    assert set(server.steps[key]) >= {"download_function", "prepare_inputs"}
    assert "task_execution" in server.ended[key][1]["steps"]


def test_short_jobs_take_four_requests(server, runner, monkeypatch):
    monkeypatch.setattr(program, "_TICK", 60)
    key = task(server)
    made = runner(FakeEngine(train))
    made.run()
    server.requests.clear()
    key = task(server)
    made.run()
    assert server.ended[key][0] == "finish"
    kinds = sorted(request.partition(" ")[0] for request in server.requests.elements())
    # Two claims, of which the second finds nothing, the model, and the end.
    assert kinds == ["POST", "POST", "POST", "PUT"]


# --- Several at once ------------------------------------------------------------------------------


def test_as_many_jobs_run_at_once_as_are_wanted(server, runner):
    together = threading.Barrier(3)

    def function(call):
        together.wait(30)
        train(call)

    keys = [task(server) for _ in range(9)]
    runner(FakeEngine(function), jobs=3).run()
    assert set(server.ended) == set(keys)
    assert all(1 <= claim["jobs"] <= 3 for claim in server.claims)


def test_two_runners_share_a_token_and_a_folder(server, runner):
    keys = [task(server, outputs=[MODEL, SCORE]) for _ in range(12)]
    made = [runner(FakeEngine(train), jobs=2, once=False) for _ in range(2)]
    with running(made[0]), running(made[1]):
        server.wait_for(lambda: len(server.ended) == len(keys))
    assert {name for name, _ in server.ended.values()} == {"finish"}
    assert len(server.models) == len(keys)


def test_once_waits_for_what_runs(server, runner):
    """What ends may be what others wait for."""
    later = []

    def function(call):
        time.sleep(0.3)
        if not later:
            later.append(task(server))
        train(call)

    task(server)
    runner(FakeEngine(function), jobs=2).run()
    assert later[0] in server.ended


# --- The end --------------------------------------------------------------------------------------


def test_a_runner_that_is_stopped_finishes_what_it_works_on(server, runner):
    key = task(server)
    begun, go_on = Event(), Event()

    def function(call):
        begun.set()
        assert go_on.wait(30)
        train(call)

    with running(runner(FakeEngine(function), once=False)) as made:
        assert begun.wait(30)
        made.stop()
        waiting = task(server)
        go_on.set()
    assert server.ended[key][0] == "finish"
    assert waiting not in server.ended


def test_what_takes_longer_than_the_grace_is_given_back(server, runner, console):
    key = task(server)
    begun = Event()

    def function(call):
        begun.set()
        assert call.stop.wait(30)

    with running(runner(FakeEngine(function), once=False, grace=0.1)):
        assert begun.wait(30)
    assert server.ended == {key: ("give_back", {})}
    assert "given back" in console[-1]


@pytest.mark.usefixtures("short_leases")
def test_jobs_are_given_back_if_the_engine_works_no_longer(server, runner, console):
    keys = [task(server), task(server)]
    waiting = task(server)

    def function(call):
        server.wait_for(lambda: len(engine.calls) == 2)
        if call is engine.calls[0]:
            raise EngineError("The daemon does not answer. Start it.")
        assert call.stop.wait(30)

    engine = FakeEngine(function)
    with pytest.raises(EngineError, match="The daemon does not answer"):
        runner(engine, jobs=2, once=False).run()
    assert server.ended == dict.fromkeys(keys, ("give_back", {}))
    assert waiting in {job["key"] for job in server.waiting}
    assert all("given back" in line for line in console)


def test_a_refused_token_stops_everything_at_once(server, runner, console):
    task(server)

    def function(call):
        server.token = "0" * 40
        assert call.stop.wait(30)

    with pytest.raises(TokenRefused, match="Invalid token"):
        runner(FakeEngine(function), once=False).run()
    assert not server.ended
    assert "stopped: Invalid token." in console[-1]


def test_a_server_without_this_api_ends_the_runner(server, runner):
    server.faults.append(("POST", "/claim/", 404))
    with pytest.raises(Refusal, match="fault 404"):
        runner(FakeEngine(train)).run()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_console_that_has_gone_keeps_no_job(server, runner):
    keys = [task(server) for _ in range(3)]
    made = runner(FakeEngine(train))

    def say(_text):
        raise BrokenPipeError

    made.say = say
    made.run()
    assert {server.ended[key][0] for key in keys} == {"finish"}


# --- Data that stay -------------------------------------------------------------------------------


@pytest.fixture
def data_root(tmp_path):
    root = tmp_path / "data"
    (root / "2026" / "ward é").mkdir(parents=True)
    (root / "2026" / "ward é" / "data.csv").write_text("1,2\n")
    return root


def at_runner(server, path, checksum=""):
    return {
        **server.add_input("ASSET_DATA_SAMPLE", b"", identifier="datasamples", multiple=True),
        "path": path,
        "address": None,
        "checksum": checksum,
    }


def look(server, runner, data_root, *paths):
    inputs = [at_runner(server, path) for path in paths]
    key = server.add(kind="look", task=None, inputs=inputs)
    runner(FakeEngine(), data_root=data_root).run()
    name, report = server.ended[key]
    assert name == "finish"
    assert [sample["key"] for sample in report["samples"]] == [each["key"] for each in inputs]
    return report["samples"]


def test_samples_below_the_data_root_are_looked_at(server, runner, data_root):
    (sample,) = look(server, runner, data_root, "2026/ward é")
    assert sample["size"] == 4
    assert len(sample["checksum"]) == 64
    (data_root / "2026" / "ward é" / "data.csv").write_text("1,3\n")
    assert look(server, runner, data_root, "2026/ward é")[0]["checksum"] != sample["checksum"]


def test_looks_say_what_is_wrong(server, runner, data_root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("x")
    (data_root / "link").symlink_to(tmp_path / "elsewhere")
    (data_root / "empty").mkdir()
    expected = {
        "../elsewhere": "is not a path below the data root",
        "/etc": "is not a path below the data root",
        "": "is not a path below the data root",
        ".": "is not a path below the data root",
        "2026/../2026": "is not a path below the data root",
        "a\0b": "is not a path below the data root",
        "link": "leads through a link",
        "missing": "There is no folder at its path below the data root",
        "2026/ward é/data.csv": "There is no folder",
        "empty": "has no data. Put the files",
    }
    samples = look(server, runner, data_root, *expected)
    for sample, (path, why) in zip(samples, expected.items(), strict=True):
        assert why in sample["problem"], path


def test_a_sample_that_stays_is_given_where_it_is(server, runner, data_root):
    (sample,) = look(server, runner, data_root, "2026/ward é")
    inputs = [at_runner(server, "2026/ward é", sample["checksum"])]

    def function(call):
        (each,) = call.inputs
        assert Path(each["value"], "data.csv").read_text() == "1,2\n"
        assert each["value"].endswith(inputs[0]["key"])
        assert data_root / "2026" / "ward é" in call.folder.readable
        train(call)

    key = task(server, inputs=inputs)
    runner(FakeEngine(function), data_root=data_root).run()
    assert server.ended[key][0] == "finish"
    assert server.claims[-1]["data_root"] is True


def test_a_sample_that_changed_fails_the_task(server, runner, data_root):
    (sample,) = look(server, runner, data_root, "2026/ward é")
    inputs = [at_runner(server, "2026/ward é", sample["checksum"])]
    (data_root / "2026" / "ward é" / "more.csv").write_text("5,6\n")
    key = task(server, inputs=inputs)
    runner(FakeEngine(train), data_root=data_root).run()
    report = server.ended[key][1]
    assert report["error_type"] == "EXECUTION_ERROR"
    assert "has changed since it was registered. Restore its content" in report["logs"]


def test_logs_do_not_say_where_samples_are(server, runner, data_root):
    (data_root / "empty name").mkdir()
    paths = ("missing name", "empty name", "../name", "2026/ward é/name")
    keys = [task(server, inputs=[at_runner(server, path)]) for path in paths]
    runner(FakeEngine(train), data_root=data_root).run()
    for key in keys:
        report = server.ended[key][1]
        assert report["error_type"] == "EXECUTION_ERROR"
        assert "below the data root" in report["logs"] or "has no data" in report["logs"]
        assert "name" not in report["logs"]


def test_a_runner_without_a_data_root_says_so(server, runner):
    key = task(server, inputs=[at_runner(server, "2026")])
    runner(FakeEngine(train)).run()
    assert "Start it with --data-root" in server.ended[key][1]["logs"]
    assert server.claims[-1]["data_root"] is False


def test_unchanged_folders_are_read_once(server, runner, data_root, monkeypatch):
    reads = []
    digest = samples.folder_digest
    monkeypatch.setattr(samples, "folder_digest", lambda path: reads.append(path) or digest(path))
    root = DataRoot(data_root)
    first = root.digest("2026/ward é")
    assert root.digest("2026/ward é") == first
    assert len(reads) == 1
    shutil.copy(data_root / "2026" / "ward é" / "data.csv", data_root / "2026" / "ward é" / "2.csv")
    assert root.digest("2026/ward é") != first
    assert len(reads) == 2

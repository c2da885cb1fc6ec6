"""What users upload is read and kept, and never compiled to be run, imported, loaded or started."""

import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command

from assets.compute.models import Model
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from assets.pages import urlpatterns
from tests import builders
from tests.pages.test_attacks import KINDS, url_of

pytestmark = pytest.mark.django_db

MODULE = "registrar_evil"
# What Python reports before it does it.
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork"}

_heard: list[str] | None = None


def _listen(event: str, args: tuple) -> None:
    if _heard is None:
        return
    if event == "exec" and MODULE in repr(getattr(args[0], "co_consts", "")):
        _heard.append("run")
    elif event == "import" and MODULE in str(args[0]):
        _heard.append("imported")
    elif event == "pickle.find_class" or event in STARTS:
        _heard.append(event)


@pytest.fixture(scope="session")
def _hook() -> None:
    # It cannot be taken away again, so it listens only while it is asked to.
    sys.addaudithook(_listen)


@contextmanager
def listening() -> Iterator[list[str]]:
    global _heard
    _heard = []
    try:
        yield _heard
    finally:
        _heard = None


class Bomb:
    """Writes the file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def marker(tmp_path, _hook):
    """The file that is there once any of the code has run."""
    path = tmp_path / MODULE
    yield path
    assert not path.exists()


def code(marker) -> bytes:
    """An opener, and a module, which writes the file when it runs."""
    return f'''# -*- coding: utf-8 -*-
"""{MODULE}"""
import substratools
open({str(marker)!r}, "w").close()
class Opener(substratools.Opener):
    open({str(marker)!r}, "w").close()
    def get_data(self, folder=open({str(marker)!r}, "w")): ...
    def fake_data(self, n_samples): ...
'''.encode()


def archive(marker) -> bytes:
    """Every file that some tool runs, imports or loads by itself because of its name."""
    source, pickled = code(marker), pickle.dumps(Bomb(str(marker)))
    modules = ("__init__", "__main__", "setup", "conftest", "sitecustomize", "function", MODULE)
    return builders.zip_of(
        {
            "Dockerfile": f"FROM x\nRUN touch {marker}\nENTRYPOINT touch {marker}\n".encode(),
            **{f"{name}.py": source for name in modules},
            f"{MODULE}.pth": f"import os; open({str(marker)!r}, 'w')\n".encode(),
            "model.pkl": pickled,
            "Makefile": f"all:\n\ttouch {marker}\n".encode(),
            "run.sh": f"#!/bin/sh\ntouch {marker}\n".encode(),
            "description.md": f"{{% load {MODULE} %}} {{{{ 7*7 }}}} ```python\n".encode(),
        }
    )


def test_the_ear_hears(marker):
    with listening() as heard:
        exec(compile(f"'{MODULE}'; 1", "x", "exec"))  # noqa: S102
        with pytest.raises(ImportError):
            __import__(MODULE)
        pickle.loads(pickle.dumps(io.BytesIO))  # noqa: S301
    assert heard == ["run", "imported", "pickle.find_class"]


def test_no_interface_runs_what_comes_in(interfaces, marker):
    with listening() as heard:
        for kind, field, data in (
            ("dataset", "data_opener", code(marker)),
            ("dataset", "description", code(marker)),
            ("function", "file", archive(marker)),
            ("function", "description", code(marker)),
            ("sample", "part", archive(marker)),
        ):
            for interface, answer in interfaces.each(kind, field, data):
                assert answer.accepted, (kind, interface, answer.faults)
    assert heard == []
    assert (Dataset.objects.count(), Function.objects.count()) == (7, 6)
    assert DataSample.objects.count() == 3


def test_no_page_and_no_download_runs_what_is_there(marker, alice, ada, session_of, client_of):
    upload = builders.upload
    opener = upload(code(marker), f"{MODULE}.py")
    dataset = builders.make_dataset(alice, data_opener=opener, description=upload(code(marker)))
    samples = builders.make_samples(alice, dataset.key)
    function = builders.make_function(
        alice, file=upload(archive(marker), f"{MODULE}.zip"), description=upload(code(marker))
    )
    tasks = [builders.training_task(dataset, samples, function) for _ in range(2)]
    plan = builders.make_plan(alice, *tasks)
    builders.make_model(tasks[0].key, content=pickle.dumps(Bomb(str(marker))))
    builders.set_status([tasks[1].key], TaskStatus.FAILED)
    builders.make_failure(code(marker), task_id=tasks[1].key)
    keys = {
        "dataset": dataset.key,
        "data-sample": samples[0].key,
        "function": function.key,
        "compute-plan": plan.key,
        "task": tasks[1].key,
        "organization": alice.organization_id,
        "user": alice.pk,
    }
    browser, client = session_of(ada), client_of(ada)
    urls = [url_of(pattern.name, keys) for pattern in urlpatterns]
    urls += [f"{url_of(kind, keys)}?code" for kind in KINDS]
    urls += [f"/{kind}s/new/?like={keys[kind]}" for kind in ("dataset", "function")]
    names = (f"{MODULE}.py", "Dockerfile", "__init__.py", "model.pkl", "setup.py", "run.sh")
    urls += [f"/functions/{function.key}/files/{name}" for name in names]
    model = Model.objects.get()
    files = [f"data_manager/{dataset.key}/{name}/" for name in ("opener", "description")]
    files += [f"function/{function.key}/{name}/" for name in ("file", "description")]
    files += [f"model/{model.key}/file/", f"task/{tasks[1].key}/logs/"]
    with listening() as heard:
        statuses = {url: browser.get(url).status_code for url in urls}
        for url in files:
            answer = client.get(f"/api/{url}")
            assert answer.status_code == 200, url
            assert answer["Content-Disposition"].startswith("attachment"), url
        call_command("check_files", stdout=io.StringIO())
    assert heard == []
    assert sum(status == 200 for status in statuses.values()) > 40, statuses

"""What a runner's token downloads: what its organisation may process, and its own data."""

import io
import tarfile
from pathlib import PurePosixPath

import pytest

from assets.common.files.digest import folder_digest
from assets.datasets import registration as datasets
from assets.datasets.specs import DataSampleSpec
from assets.feed.models import Event
from tests import builders
from tests.cast import A

from .runners import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def run(ward: StandIn, alice, *samples):
    """Return the job of a training task on data samples."""
    dataset = samples[0].datasets.get()
    function = builders.make_function(alice)
    builders.make_plan(alice, builders.training_task(dataset, list(samples), function))
    ward.report(ward.claim()[0], "finish")
    (job,) = ward.claim()
    return job


def content(answer) -> bytes:
    assert answer.status_code == 200, answer.status_code
    return b"".join(answer.streaming_content)


def test_inputs(alice, ward, other):
    dataset = builders.make_dataset(alice)
    samples = builders.make_samples(alice, dataset.key, count=2)
    job = run(ward, alice, *samples)
    assert [one["kind"] for one in job["inputs"]] == [
        "ASSET_DATA_MANAGER",
        "ASSET_DATA_SAMPLE",
        "ASSET_DATA_SAMPLE",
    ]
    opener, *data = job["inputs"]
    assert content(ward.client.get(opener["address"])) == builders.OPENER
    assert (opener["checksum"], opener["path"]) == (dataset.opener_checksum, None)
    for number, one in enumerate(data):
        archive = builders.zip_of({"data.csv": b"%d\n" % number})
        answer = ward.client.get(one["address"])
        assert content(answer) == archive
        assert answer["Content-Disposition"] == f'attachment; filename="{one["key"]}.zip"'
        assert (one["key"], one["size"]) == (str(samples[number].key), len(archive))
    for one in job["inputs"]:
        assert other.client.get(one["address"]).status_code == 403
    logged = Event.objects.filter(action="downloaded", result="done").order_by("pk")
    assert {*logged.values_list("actor_name", "organization_id")} == {("runner ward", A)}
    assert logged.count() == 3
    refused = Event.objects.filter(action="downloaded", result="refused")
    assert refused.count() == 3


def test_folder_on_the_server(alice, ward, settings, tmp_path):
    folder = tmp_path / "servermedias" / A / "scan"
    (folder / "deep").mkdir(parents=True)
    long = "n" * 150 + "é.bin"
    files = {"a.csv": b"1,2\n", f"deep/{long}": bytes(range(256)) * 3000, "empty": b""}
    for name, text in files.items():
        (folder / name).write_bytes(text)
    (folder / "link").symlink_to("/etc/passwd")
    dataset = builders.make_dataset(alice)
    spec = DataSampleSpec([dataset.key], paths=[folder])
    (sample,) = datasets.register_data_samples(spec, alice)
    one = run(ward, alice, sample)["inputs"][-1]
    assert one["is_folder"]
    assert (one["checksum"], one["size"]) == folder_digest(folder)
    with tarfile.open(fileobj=io.BytesIO(content(ward.client.get(one["address"])))) as archive:
        found = {entry.name: archive.extractfile(entry).read() for entry in archive}
    assert found == files


def test_data_are_for_runners(alice, bob, client_of):
    dataset = builders.make_dataset(alice, permissions=builders.PUBLIC)
    (sample,) = builders.make_samples(alice, dataset.key)
    for user in (alice, bob):
        assert client_of(user).get(f"/api/data_sample/{sample.key}/file/").status_code == 401


def test_models(alice, ward, other, settings):
    function = builders.make_aggregate(alice, inputs=())
    task = builders.aggregate_task(function, A)
    builders.make_plan(alice, task)
    model = builders.make_model(task.key)
    path = f"/api/model/{model.key}/file/"
    settings.MODEL_EXPORT_ENABLED = False
    # Nothing leaves the organisation by running what it may process.
    assert content(ward.client.get(path))
    assert other.client.get(path).status_code == 403


def test_nothing_else(ward, alice):
    function = builders.make_function(alice)
    for path in (
        "function/",
        f"function/{function.key}/",
        f"function/{function.key}/file/",
        "info/",
    ):
        assert ward.client.get(f"/api/{path}").status_code == 401


def test_data_at_runners_are_for_runners_with_a_data_root(alice, ward):
    """Other tasks of the organisation wait for no such runner."""
    dataset = builders.make_dataset(alice)
    spec = DataSampleSpec([dataset.key], runner_paths=[PurePosixPath("scans/1")])
    (sample,) = datasets.register_data_samples(spec, alice)
    (plain,) = builders.make_samples(alice, dataset.key)
    function = builders.make_function(alice)
    tasks = [builders.training_task(dataset, [one], function) for one in (sample, plain)]
    builders.make_plan(alice, *tasks)
    ward.report(ward.claim()[0], "finish")
    (job,) = ward.claim(5, data_root=False)
    assert job["task"]["key"] == str(tasks[1].key)
    look, other = ward.claim(5, data_root=True)
    assert (look["kind"], other["task"]["key"]) == ("look", str(tasks[0].key))
    assert (look["inputs"][0]["path"], look["inputs"][0]["address"]) == ("scans/1", None)
    assert other["inputs"][-1]["path"] == "scans/1"
    # What was given back is not for them either.
    ward.report(other, "give_back")
    assert ward.claim(5, data_root=False) == []
    assert len(ward.claim(5, data_root=True)) == 1

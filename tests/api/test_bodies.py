"""The ways to send a spec, and what is made of what cannot be read. Contract 1.4, 1.8."""

import json
from hashlib import sha256

import pytest
from django.core.files.base import ContentFile

from assets.compute.models import ComputePlan, Task
from assets.datasets.models import DataSample
from assets.functions.models import Function
from tests.builders import (
    CODE,
    DESCRIPTION,
    OPENER,
    dataset_spec,
    function_spec,
    plan_spec,
    upload,
    wire_dataset,
    wire_function,
    wire_samples,
    wire_task,
    zip_of,
)

SLOTS = {"m": {"kind": "ASSET_MODEL", "multiple": True, "optional": False}}

# --- Multipart with the part `json`, as the SDK sends it -----------------------------------------


def test_other_parts_are_ignored(api):
    body = wire_dataset(dataset_spec()) | {"name": "Ignored", "metadata": "ignored"}
    assert api.post("/api/data_manager/", body).json()["name"] == "Blood counts"


def test_a_file_part_overrides_a_key_of_the_object(api):
    body = wire_dataset(dataset_spec())
    body["json"] = json.dumps(json.loads(body["json"]) | {"data_opener": "a text"})
    answer = api.post("/api/data_manager/", body)
    assert answer.status_code == 201
    assert answer.json()["opener"]["checksum"] == sha256(OPENER).hexdigest()


@pytest.mark.parametrize("text", ["{", "", "nothing", "[1]", "null", '"text"', '{"name": NaN}'])
@pytest.mark.parametrize("resource", ["data_manager", "function", "data_sample"])
def test_a_json_part_that_is_none(text, resource, api):
    answer = api.post(f"/api/{resource}/", {"json": text, "file": upload(b"x")})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")


@pytest.mark.parametrize("name", ["metadata", "permissions", "logs_permission", "type"])
def test_what_may_be_null_or_absent(name, api):
    for change in (lambda values: values.pop(name), lambda values: values.update({name: None})):
        body = wire_dataset(dataset_spec())
        values = json.loads(body["json"])
        change(values)
        answer = api.post("/api/data_manager/", body | {"json": json.dumps(values)})
        assert answer.status_code == 201
        kept = answer.json()
        private = {"public": False, "authorized_ids": ["MyOrg1MSP"]}
        defaults = {
            "metadata": {},
            "type": "",
            "logs_permission": private,
            "permissions": {"process": private, "download": private},
        }
        assert kept[name] == defaults[name]


def test_slots_of_a_function_as_a_map_or_a_list(api):
    """Both shapes are read; null and absent are none."""
    listed = [{"identifier": name, **slot} for name, slot in SLOTS.items()]
    for given, kept in ((SLOTS, SLOTS), (listed, SLOTS), (None, {}), ({}, {})):
        body = wire_function(function_spec())
        body["json"] = json.dumps(json.loads(body["json"]) | {"inputs": given, "outputs": {}})
        answer = api.post("/api/function/", body)
        assert answer.status_code == 201
        assert answer.json()["inputs"] == kept


@pytest.mark.parametrize(
    ("slots", "field"),
    [
        ("text", "inputs"),
        ({"m": "ASSET_MODEL"}, "inputs"),
        ([{"kind": "ASSET_MODEL"}], "inputs"),
        (["m"], "inputs"),
        ({"m": {"kind": 1}}, "inputs.m.kind"),
        ({"m": {}}, "inputs.m.kind"),
        ({"m": {"kind": None}}, "inputs.m.kind"),
        ({"m": {"kind": "ASSET_MODEL", "multiple": "yes"}}, "inputs.m.multiple"),
        ({"m": {"kind": "ASSET_MODEL", "optional": 1}}, "inputs.m.optional"),
    ],
)
def test_slots_that_cannot_be_read(slots, field, api):
    body = wire_function(function_spec())
    body["json"] = json.dumps(json.loads(body["json"]) | {"inputs": slots})
    answer = api.post("/api/function/", body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0101: function is not valid: ")
    assert answer.json()["problems"][0]["field"] == field
    assert not Function.objects.exists()


@pytest.mark.parametrize(
    "permissions",
    ["public", [], {"public": "perhaps"}, {"authorized_ids": "MyOrg1MSP"}, {"authorized_ids": [1]}],
    ids=str,
)
def test_permissions_that_cannot_be_read(permissions, api):
    body = wire_dataset(dataset_spec())
    body["json"] = json.dumps(json.loads(body["json"]) | {"permissions": permissions})
    answer = api.post("/api/data_manager/", body)
    assert answer.status_code == 400
    assert "permissions" in answer.json()


def test_each_file_part_is_a_sample_whatever_its_name(api, world):
    names = ["path", "json.zip", "Été 2024", "a/b", "file"]
    keys = [str(world.dataset.key)]
    files = {name: upload(zip_of({"n": name.encode()}), "path") for name in names}
    body = {"json": json.dumps({"data_manager_keys": keys}), **files}
    answer = api.post("/api/data_sample/", body)
    assert answer.status_code == 201
    assert len(answer.json()) == DataSample.objects.count() == len(names)


def test_equal_part_names_are_two_samples(api, world):
    files = [upload(zip_of({"n": b"%d" % n}), "path") for n in range(2)]
    body = {"json": json.dumps({"data_manager_keys": [str(world.dataset.key)]}), "path": files}
    assert len(api.post("/api/data_sample/", body).json()) == 2


def test_more_than_a_hundred_files(api, world):
    spec = world.samples_spec(150)
    assert len(api.post("/api/data_sample/", wire_samples(spec)).json()) == 150


def test_the_part_json_may_be_a_file(api, world):
    """As `curl -F json=@spec.json` sends it, with the mark that some editors put before it."""
    body = wire_dataset(dataset_spec())
    body["json"] = ContentFile(b"\xef\xbb\xbf" + body["json"].encode(), "spec.json")
    assert api.post("/api/data_manager/", body).json()["name"] == "Blood counts"

    spec = json.dumps({"data_manager_keys": [str(world.dataset.key)]}).encode()
    files = {"json": ContentFile(spec, "spec.json"), "file": upload(zip_of({"a": b"1"}), "a.zip")}
    assert len(api.post("/api/data_sample/", files).json()) == 1


# --- Multipart form fields and JSON, as people and scripts send them ------------------------------


def test_dataset_as_a_form(api):
    body = {
        "name": "Scans",
        "type": "images",
        "metadata": '{"a": "b"}',
        "permissions.public": "true",
        "logs_permission.authorized_ids": ["MyOrg2MSP", "MyOrg3MSP"],
        "data_opener": ContentFile(OPENER, "opener.py"),
        "description": ContentFile(DESCRIPTION, "description.md"),
    }
    answer = api.post("/api/data_manager/", body)
    assert answer.status_code == 201
    kept = answer.json()
    assert (kept["name"], kept["type"], kept["metadata"]) == ("Scans", "images", {"a": "b"})
    assert kept["permissions"]["process"]["public"] is True
    assert kept["logs_permission"] == {
        "public": False,
        "authorized_ids": ["MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"],
    }


def test_function_as_a_form(api):
    body = {
        "name": "Train",
        "metadata": "",
        "inputs": json.dumps(SLOTS),
        "outputs": "",
        "file": ContentFile(zip_of(CODE), "f.zip"),
        "description": ContentFile(DESCRIPTION, "d.md"),
    }
    answer = api.post("/api/function/", body)
    assert answer.status_code == 201
    assert (answer.json()["inputs"], answer.json()["outputs"]) == (SLOTS, {})


def test_samples_as_a_form(api, world):
    keys = [str(world.dataset.key), str(world.other_dataset.key)]
    body = {"data_manager_keys": keys, "anything": ContentFile(zip_of({"a": b"1"}), "a.zip")}
    answer = api.post("/api/data_sample/", body)
    assert answer.status_code == 201
    assert answer.json()[0]["data_manager_keys"] == keys


def test_samples_as_json(api, world, settings):
    folder = settings.SERVERMEDIAS_ROOT / "MyOrg1MSP" / "one"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("1")
    keys = [str(world.dataset.key)]
    for name, value in (("path", str(folder)), ("paths", ["one"])):
        body = {"data_manager_keys": keys, name: value, "followlinks": True}
        answer = api.post("/api/data_sample/", body, format="json")
        assert answer.status_code == 201
        assert "path" not in answer.json()[0], "a path would be looked for on the client's disk"


def test_plan_as_a_form(api, world):
    spec = plan_spec()
    task = wire_task(world.task(), spec.key)
    body = {
        "key": str(spec.key),
        "name": "Study",
        "tag": "",
        "metadata": '{"a": "b"}',
        "tasks": json.dumps([task]),
    }
    answer = api.post("/api/compute_plan/", body)
    assert answer.status_code == 201
    assert (answer.json()["metadata"], answer.json()["task_count"]) == ({"a": "b"}, 1)


def test_batch_as_a_form(api, world):
    body = {"tasks": json.dumps([wire_task(world.task())])}
    assert api.post("/api/task/bulk_create/", body).status_code == 200
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/api/compute_plan/", "metadata"),
        ("/api/compute_plan/", "tasks"),
        ("/api/task/bulk_create/", "tasks"),
    ],
)
def test_a_form_field_that_is_no_json(url, field, api):
    answer = api.post(url, {"key": str(plan_spec().key), "name": "Study", field: "{"})
    assert answer.status_code == 400
    assert not ComputePlan.objects.exists()


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("count", [1, 3])
def test_links_as_the_sdk_sends_them(count, api, world):
    """A form with repeated keys, read as lists."""
    samples = [
        sample["key"]
        for sample in api.post("/api/data_sample/", wire_samples(world.samples_spec(count))).json()
    ]
    pairs = [f"data_manager_keys={world.other_dataset.key}"]
    pairs += [f"data_sample_keys={key}" for key in samples]
    answer = api.post("/api/data_sample/bulk_update/", "&".join(pairs), content_type=FORM)
    assert (answer.status_code, answer.json()) == (200, {})
    listed = api.get(f"/api/data_manager/{world.other_dataset.key}/").json()["data_sample_keys"]
    assert set(listed) == set(samples)


def test_thousands_of_form_fields(api, world):
    key = world.samples[0].key
    pairs = [f"data_manager_keys={world.dataset.key}", *[f"data_sample_keys={key}"] * 12_000]
    answer = api.post("/api/data_sample/bulk_update/", "&".join(pairs), content_type=FORM)
    assert answer.status_code == 200


@pytest.mark.parametrize("field", ["data_manager_keys", "data_sample_keys"])
@pytest.mark.parametrize("keys", [["x"], [7], "x", [None], {}], ids=str)
def test_keys_that_are_none(field, keys, api, world):
    body = {
        "data_manager_keys": [str(world.dataset.key)],
        "data_sample_keys": [str(world.samples[0].key)],
        field: keys,
    }
    answer = api.post("/api/data_sample/bulk_update/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0101: datasample is not valid: ")
    assert answer.json()["problems"][0]["field"].startswith(field)


@pytest.mark.parametrize("keys", [["x"], "x", [7]], ids=str)
def test_dataset_keys_that_are_none(keys, api, world):
    body = wire_samples(world.samples_spec(1))
    answer = api.post("/api/data_sample/", body | {"json": json.dumps({"data_manager_keys": keys})})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0101: datasample is not valid: ")

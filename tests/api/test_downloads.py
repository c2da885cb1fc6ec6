"""Files: their bytes, their headers, and who may not have them. Contract 1.5, 2.8, 2.10."""

from uuid import uuid4

import pytest

from assets.compute.models import Task
from assets.compute.statuses import ErrorType, TaskStatus
from tests.builders import (
    CODE,
    DESCRIPTION,
    OPENER,
    PUBLIC,
    function_spec,
    make_dataset,
    make_failure,
    make_function,
    make_model,
    only_to,
    set_status,
    upload,
    zip_of,
)

MARKDOWN = "text/markdown; charset=utf-8"
BINARY = "application/octet-stream"
LOGS = "Échec: no such file\n".encode()
ARCHIVE = zip_of(CODE)


def _dataset(world, permissions):
    return make_dataset(world.alice, permissions=permissions)


def _function(world, permissions):
    spec = function_spec()
    return make_function(
        world.alice, permissions=permissions, file=upload(ARCHIVE), inputs=spec.inputs
    )


def _model(world, permissions):
    return world.model(permissions)


# Each file: what has it, its address, and what is sent.
FILES = {
    "opener": (_dataset, "data_manager/{}/opener/", OPENER, "opener.py", BINARY),
    "dataset's description": (
        _dataset,
        "data_manager/{}/description/",
        DESCRIPTION,
        "description.md",
        MARKDOWN,
    ),
    "archive": (_function, "function/{}/file/", ARCHIVE, "function.zip", BINARY),
    "function's description": (
        _function,
        "function/{}/description/",
        DESCRIPTION,
        "description.md",
        MARKDOWN,
    ),
    "model": (_model, "model/{}/file/", b"w", "model_{}", BINARY),
}
ROWS = [pytest.param(*row, id=id) for id, row in FILES.items()]
ADDRESSES = [pytest.param(make, address, id=id) for id, (make, address, *_) in FILES.items()]


def _status(client, url, **options) -> int:
    answer = client.get(url, **options)
    if answer.streaming:
        list(answer.streaming_content)  # which closes the file
    return answer.status_code


@pytest.mark.parametrize(("make", "address", "content", "filename", "content_type"), ROWS)
def test_file(make, address, content, filename, content_type, world, api):
    key = make(world, only_to()).key
    answer = api.get(f"/api/{address.format(key)}")
    assert answer.status_code == 200
    assert answer.streaming
    assert b"".join(answer.streaming_content) == content
    assert answer.headers["Content-Type"] == content_type
    expected = f'attachment; filename="{filename.format(key)}"'
    assert answer.headers["Content-Disposition"] == expected
    assert answer.headers["Access-Control-Expose-Headers"] == "Content-Disposition"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(content)


@pytest.mark.parametrize(("make", "address"), ADDRESSES)
def test_who_gets_it(make, address, world, client_of, anonymous):
    key = make(world, only_to("MyOrg2MSP")).key
    url = f"/api/{address.format(key)}"
    may = {name: _status(client_of(user), url) for name, user in world.users.items()}
    assert may == {"alice": 200, "ada": 200, "victor": 200, "bob": 200, "carol": 403, "root": 403}
    assert anonymous.get(url).status_code == 401


@pytest.mark.parametrize(("make", "address"), ADDRESSES)
def test_public(make, address, world, client_of):
    url = f"/api/{address.format(make(world, PUBLIC).key)}"
    assert _status(client_of(world.users["carol"]), url) == 200


@pytest.mark.parametrize(("make", "address"), ADDRESSES)
def test_refusals(make, address, world, api, bobs_api):
    private = bobs_api.get(f"/api/{address.format(make(world, only_to()).key)}")
    assert (private.status_code, private.json()) == (403, {"detail": "Unauthorized"})
    malformed = api.get(f"/api/{address.format('x')}")
    assert malformed.status_code == 400
    assert malformed.json() == {"detail": 'key is not a valid UUID: "x"'}
    unknown = api.get(f"/api/{address.format(uuid4())}")
    assert unknown.status_code == 404
    assert "detail" in unknown.json()


def test_an_archive_is_named_after_what_it_is(world, api):
    """Whatever its name was; clients unpack it by its suffix."""
    key = make_function(world.alice, file=upload(ARCHIVE, "function.tar.gz")).key
    answer = api.get(f"/api/function/{key}/file/")
    assert answer.headers["Content-Disposition"].endswith('"function.zip"')


def test_the_image_is_gone_until_it_is_built(world, api, bobs_api):
    url = f"/api/function/{world.train.key}/image/"
    answer = api.get(url)
    assert (answer.status_code, answer.json()) == (410, {"detail": "Asset not available anymore"})
    assert _status(bobs_api, url) == 403


def test_storage_addresses_lead_to_the_files(world, api):
    dataset = api.get(f"/api/data_manager/{world.dataset.key}/").json()
    answer = api.get(dataset["opener"]["storage_address"])
    assert b"".join(answer.streaming_content) == OPENER


@pytest.mark.parametrize(
    "accept", ["application/json;version=0.0", "text/plain", "image/png", "*/*"]
)
def test_any_accept_header_does(accept, world, api):
    url = f"/api/data_manager/{world.dataset.key}/description/"
    assert _status(api, url, headers={"accept": accept}) == 200
    assert _status(api, "/api/data_manager/", headers={"accept": accept}) == 200


# --- Models --------------------------------------------------------------------------------------


def test_a_disabled_model(world, api):
    model = make_model(world.parent.key, content=b"")
    assert api.get(f"/api/model/{model.key}/").json()["address"] is None
    answer = api.get(f"/api/model/{model.key}/file/")
    assert (answer.status_code, answer.json()) == (410, {"detail": "Asset not available anymore"})


def test_models_are_not_exported_where_that_is_switched_off(world, api, settings):
    settings.MODEL_EXPORT_ENABLED = False
    answer = api.get(f"/api/model/{world.model(PUBLIC).key}/file/")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Unauthorized"})


# --- Logs ----------------------------------------------------------------------------------------


def _failed(world, error_type=ErrorType.EXECUTION):
    set_status([world.parent.key], TaskStatus.FAILED, error_type=error_type)
    return world.parent.key


@pytest.mark.parametrize("address", ["/api/task/{}/logs/", "/api/logs/{}/file/"])
def test_logs(address, world, api, bobs_api):
    key = _failed(world)
    make_failure(LOGS, task_id=key)
    answer = api.get(address.format(key))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == LOGS
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="tuple_logs_{key}.txt"'
    refused = bobs_api.get(address.format(key))
    assert (refused.status_code, refused.json()) == (403, {"detail": "Unauthorized"})


@pytest.mark.parametrize("address", ["/api/task/{}/logs/", "/api/logs/{}/file/"])
def test_without_logs(address, world, api):
    task = world.registered(world.task()).key
    for key in (task, uuid4()):
        answer = api.get(address.format(key))
        assert answer.status_code == 404
        assert "detail" in answer.json()
    _failed(world)
    make_failure(b"", task_id=world.parent.key)
    assert _status(api, address.format(world.parent.key)) == 404


def test_logs_of_data_are_for_those_the_dataset_permits(world, bobs_api, client_of):
    """Whether or not they may process the data."""
    dataset = make_dataset(world.alice, logs_permission=only_to("MyOrg2MSP"))
    world.dataset = dataset
    key = _failed(world)
    make_failure(LOGS, task_id=key)
    assert _status(bobs_api, f"/api/task/{key}/logs/") == 200
    carol = client_of(world.users["carol"])
    assert _status(carol, f"/api/task/{key}/logs/") == 403


@pytest.mark.parametrize("address", ["/api/task/{}/logs/", "/api/logs/{}/file/"])
def test_logs_of_a_function_that_cannot_be_built(address, world, bobs_api, client_of):
    """One report for all tasks of the function, for those who may process it."""
    world.train = make_function(world.alice, permissions=only_to("MyOrg2MSP"))
    key = _failed(world, ErrorType.BUILD)
    make_failure(LOGS, function_id=world.train.key, error_type=ErrorType.BUILD)
    assert Task.objects.get(pk=key).error_type == ErrorType.BUILD
    answer = bobs_api.get(address.format(key))
    assert b"".join(answer.streaming_content) == LOGS
    assert _status(client_of(world.users["carol"]), address.format(key)) == 403
    assert _status(bobs_api, f"/api/logs/{world.train.key}/file/") == 200


def test_malformed_keys_of_logs(api):
    assert api.get("/api/logs/x/file/").status_code == 400
    assert api.get("/api/task/x/logs/").status_code == 404

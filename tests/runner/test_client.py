"""What the runner asks of the server when the network, or the server, fails."""

import hashlib
import threading
from threading import Event
from uuid import UUID, uuid4

import pytest

from assets.runner.client import Client, JobLost, WrongContent
from assets.runner.connection import Connection, Refusal, TokenRefused
from assets.runner.stopping import Stopped

from .server import CUT, HALF, HTML, LATE, TOKEN

CONTENT = bytes(range(256)) * 20_000  # 5 MB
CLAIM = {"jobs": 1, "version": "1", "engine": "none", "data_root": False}


@pytest.fixture
def client(server, console):
    return Client(Connection(server.url, TOKEN, console.append))


@pytest.fixture
def job(server, client):
    server.add()
    (found,) = client.claim(CLAIM, wait=0, stop=Event())
    return UUID(found["key"])


def model_of(server, job):
    ((key, (identifier, content)),) = server.models.items()
    assert key[0] == str(job)
    return UUID(key[1]), identifier, content


# --- Asking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[CUT], [503], [500, CUT, 502, 429, 504]], ids=str)
def test_requests_are_repeated_until_they_are_answered(server, client, console, faults):
    key = server.add()
    server.faults += [("POST", "/claim/", fault) for fault in faults]
    (found,) = client.claim(CLAIM, wait=0, stop=Event())
    assert found["key"] == key
    assert server.requests["POST /api/runner/claim/"] == len(faults) + 1
    # Once when it began, once when it ended; a single interruption is no news.
    news = ["The server does not answer", "The server answers again."]
    assert [line.partition(";")[0] for line in console] == (news if len(faults) > 1 else [])


def test_a_server_that_does_not_exist_is_waited_for(console):
    client = Client(Connection("http://127.0.0.1:1", TOKEN, console.append))
    stop = Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        client.claim(CLAIM, wait=0, stop=stop)
    assert len(console) == 1
    assert "Connection refused" in console[0]


def test_an_answer_that_is_no_json_is_no_answer(server, client, console):
    server.faults += [("POST", "/claim/", HTML)] * 2
    assert client.claim(CLAIM, wait=0, stop=Event()) == []
    assert "the answer to POST /api/runner/claim/ is no JSON" in console[0]


def test_a_refused_token_ends_all(server, client, job):
    server.token = "0" * 40
    for attempt in (
        lambda: client.claim(CLAIM, wait=0, stop=Event()),
        lambda: client.renew([job], Event()),
        lambda: client.report(job, "finish", {}, Event()),
    ):
        with pytest.raises(TokenRefused, match="Invalid token"):
            attempt()


def test_a_lost_lease_loses_the_job(server, client, job, tmp_path):
    server.lost.add(str(job))
    with pytest.raises(JobLost, match="The lease ran out"):
        client.report(job, "finish", {}, Event())
    (tmp_path / "model").write_bytes(b"x")
    with pytest.raises(JobLost, match="The lease ran out"):
        client.upload(job, "model", tmp_path / "model", "", Event())
    with pytest.raises(JobLost, match="No such job"):
        client.report(uuid4(), "finish", {}, Event())


def test_a_report_that_is_sent_twice_stands_once(server, client, job):
    server.faults.append(("POST", "/finish/", LATE))
    client.report(job, "finish", {"performances": {}}, Event())
    assert server.requests[f"POST /api/runner/job/{job}/finish/"] == 2
    assert server.ended == {str(job): ("finish", {"performances": {}})}


def test_what_the_server_does_not_accept_is_a_refusal(server, client, job):
    server.faults.append(("POST", "/finish/", 400))
    with pytest.raises(Refusal, match="fault 400") as caught:
        client.report(job, "finish", {}, Event())
    assert caught.value.status == 400


def test_an_error_of_the_server_is_not_repeated_for_ever(server, client, job):
    server.faults += [("POST", "/finish/", 500)] * 11
    with pytest.raises(Refusal, match="fault 500"):
        client.report(job, "finish", {}, Event())
    assert server.requests[f"POST /api/runner/job/{job}/finish/"] == 10


def test_a_netrc_does_not_replace_the_token(server, client, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert client.claim(CLAIM, wait=0, stop=Event()) == []


def test_a_proxy_of_the_environment_is_used(server, console, monkeypatch):
    """The stand-in answers whatever it is asked, also as a proxy."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    client = Client(Connection("http://registrar.example.org", TOKEN, console.append))
    assert client.claim(CLAIM, wait=0, stop=Event()) == []
    assert server.requests == {"POST /api/runner/claim/": 1}


def test_a_redirect_names_the_address_to_use(server, client, monkeypatch):
    monkeypatch.setattr(
        "tests.runner.server.Handler._answer", lambda handler, *_rest: redirect(handler)
    )
    with pytest.raises(Refusal, match="redirects POST .* to https://new.example.org/. Start"):
        client.claim(CLAIM, wait=0, stop=Event())


def redirect(handler):
    handler.send_response(301)
    handler.send_header("Location", "https://new.example.org/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize("address", ["registrar.example.org", "ftp://x", "https://", ""])
def test_addresses_of_servers_are_checked(address):
    with pytest.raises(ValueError, match="is not the address of a server"):
        Connection(address, TOKEN, print)


@pytest.mark.parametrize(
    ("address", "is_private"),
    [
        ("https://registrar.example.org", True),
        ("http://registrar.example.org", False),
        ("http://127.0.0.1:8000", True),
        ("http://localhost/registrar", True),
        ("http://127.0.0.1.example.org", False),
    ],
)
def test_a_connection_that_others_can_read_is_known(address, is_private):
    assert Connection(address, TOKEN, print).is_private is is_private


# --- Downloads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[], [HALF], [CUT, HALF, 503, HALF, HALF]], ids=str)
def test_downloads_continue_where_they_were_interrupted(server, client, tmp_path, faults):
    found = server.add_input("ASSET_MODEL", CONTENT)
    path = f"/files/{found['key']}/"
    server.faults += [("GET", path, fault) for fault in faults]
    client.download(found["address"], tmp_path / "file", found["checksum"], Event())
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.requests[f"GET {path}"] == len(faults) + 1


def test_an_empty_file_is_downloaded(server, client, tmp_path):
    found = server.add_input("ASSET_MODEL", b"")
    client.download(found["address"], tmp_path / "file", found["checksum"], Event())
    assert (tmp_path / "file").read_bytes() == b""


def test_another_content_is_tried_twice_and_refused(server, client, tmp_path):
    found = server.add_input("ASSET_MODEL", CONTENT)
    with pytest.raises(WrongContent, match="does not have the checksum 0000"):
        client.download(found["address"], tmp_path / "file", "0" * 64, Event())
    assert server.requests[f"GET /files/{found['key']}/"] == 2


def test_a_file_that_is_not_there_is_a_refusal(client, tmp_path):
    with pytest.raises(Refusal, match="Not found"):
        client.download("https://else.example.org/files/x/", tmp_path / "file", "", Event())


def test_what_is_made_while_it_is_sent_begins_again(server, client, tmp_path):
    found = server.add_input("ASSET_DATA_SAMPLE", CONTENT)
    server.faults += [("GET", "/files/", HALF)] * 2
    client.download_stream(found["address"], tmp_path / "file", Event())
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_function_is_there_for_whoever_has_the_lease(server, client, job, tmp_path):
    function = server.add_function("f", b"archive")
    client.download_function(job, tmp_path / "file", function["checksum"], Event())
    assert (tmp_path / "file").read_bytes() == b"archive"
    with pytest.raises(JobLost):
        client.download_function(uuid4(), tmp_path / "file", function["checksum"], Event())


# --- Uploads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, len(CONTENT)])
@pytest.mark.parametrize("faults", [[], [CUT], [HALF, HALF, HALF], [503, HALF, LATE]], ids=str)
def test_uploads_continue_where_they_were_interrupted(server, client, job, tmp_path, size, faults):
    path = tmp_path / "model"
    path.write_bytes(CONTENT[:size])
    checksum = hashlib.sha256(CONTENT[:size]).hexdigest()
    server.faults += [("PUT", "/model/", fault) for fault in faults]
    key = client.upload(job, "an output", path, checksum, Event())
    assert model_of(server, job) == (key, "an output", CONTENT[:size])


def test_only_parts_that_are_missing_are_sent_again(server, client, job, tmp_path, monkeypatch):
    monkeypatch.setattr("assets.runner.client.PART", 1_000_000)
    (tmp_path / "model").write_bytes(CONTENT)
    checksum = hashlib.sha256(CONTENT).hexdigest()
    server.faults += [("PUT", "/model/", fault) for fault in (HALF, LATE, CUT)]
    server.faults.append(("GET", "/model/", 503))
    key = client.upload(job, "an output", tmp_path / "model", checksum, Event())
    address = f"/api/runner/job/{job}/model/{key}/"
    # Six parts: two did not arrive, and of one nothing was known; each is asked for.
    assert server.requests[f"PUT {address}"] == 6 + 2
    assert server.requests[f"GET {address}"] == 3 + 1
    assert model_of(server, job)[2] == CONTENT


def test_an_offset_that_the_server_does_not_have_is_corrected(
    server, client, job, tmp_path, monkeypatch
):
    key = uuid4()
    monkeypatch.setattr("assets.runner.client.uuid4", lambda: key)
    (tmp_path / "model").write_bytes(CONTENT)
    server.received[f"/api/runner/job/{job}/model/{key}/"] = CONTENT[:1000]
    client.upload(job, "x", tmp_path / "model", hashlib.sha256(CONTENT).hexdigest(), Event())
    assert model_of(server, job)[2] == CONTENT


def test_an_upload_can_be_stopped(server, client, job, tmp_path):
    (tmp_path / "model").write_bytes(CONTENT)
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        client.upload(job, "x", tmp_path / "model", "", stop)
    assert not server.models

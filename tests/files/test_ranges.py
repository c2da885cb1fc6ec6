"""Downloads in part, and not at all where the client has the file already. RFC 9110."""

import hashlib
import os
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse
from django.test import RequestFactory
from django.utils.http import http_date

from tests import builders

pytestmark = pytest.mark.django_db

CONTENT = b"0123456789"
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
OTHER = f'"{"0" * 64}"'


@pytest.fixture
def dataset(alice):
    opener = builders.upload(CONTENT, "opener.py")
    return builders.make_dataset(alice, data_opener=opener, permissions=builders.only_to())


@pytest.fixture
def url(dataset):
    return f"/api/data_manager/{dataset.key}/opener/"


@pytest.fixture
def client(alice, client_of):
    return client_of(alice)


def body_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def dated(value: str, dataset) -> str:
    """Fill in when the dataset was registered, and a day before and after."""
    day, then = timedelta(days=1), dataset.creation_date
    moments = {"before": then - day, "then": then, "after": then + day}
    return value.format(**{name: http_date(at.timestamp()) for name, at in moments.items()})


# --- Ranges --------------------------------------------------------------------------------------

# The Range header, the bytes that come (None: the whole file), and where they are.
RANGES = [
    ("bytes=0-0", b"0", "bytes 0-0/10"),
    ("bytes=2-5", b"2345", "bytes 2-5/10"),
    ("bytes=7-", b"789", "bytes 7-9/10"),
    ("bytes=0-", CONTENT, "bytes 0-9/10"),
    ("bytes=4-99", b"456789", "bytes 4-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=-99", CONTENT, "bytes 0-9/10"),
    ("BYTES= 2-5 ", b"2345", "bytes 2-5/10"),
    # Several at once, other units and what is no range: all of it is a right answer.
    ("bytes=0-1,4-5", None, ""),
    ("bytes=5-2", None, ""),
    ("bytes=-", None, ""),
    ("bytes=a-b", None, ""),
    ("bytes=--3", None, ""),
    ("bytes=²-5", None, ""),
    ("lines=0-1", None, ""),
    ("0-1", None, ""),
    ("", None, ""),
    (f"bytes=0-{'9' * 5000}", None, ""),
]


ranges = pytest.mark.parametrize(
    ("header", "content", "place"), RANGES, ids=[r[0][:20] for r in RANGES]
)


def assert_is_part(answer, content, place):
    """The answer has this part of the file and says so; None is the whole file."""
    assert answer.status_code == (200 if content is None else 206)
    assert body_of(answer) == (content or CONTENT)
    assert answer["Content-Length"] == str(len(content or CONTENT))
    assert answer.get("Content-Range", "") == place


@ranges
def test_a_range(client, url, header, content, place):
    answer = client.get(url, HTTP_RANGE=header)
    assert_is_part(answer, content, place)
    assert (answer["ETag"], answer["Accept-Ranges"]) == (ETAG, "bytes")
    assert answer["Content-Disposition"] == 'attachment; filename="opener.py"'
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=99-", "bytes=-0"])
def test_a_range_that_the_file_does_not_have(client, url, header):
    answer = client.get(url, HTTP_RANGE=header)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")
    assert "10 bytes" in answer.json()["detail"]


def test_a_range_is_for_who_gets(client, url):
    answer = client.head(url, HTTP_RANGE="bytes=2-5")
    assert (answer.status_code, answer["Content-Length"]) == (200, "10")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 206),
        (OTHER, 200),
        (f"W/{ETAG}", 200),
        ("{then}", 206),
        ("{before}", 200),
        ("{after}", 200),
        ("nonsense", 200),
    ],
)
def test_the_rest_is_for_who_has_the_beginning_of_this_file(
    client, url, dataset, condition, status
):
    answer = client.get(url, HTTP_RANGE="bytes=5-", HTTP_IF_RANGE=dated(condition, dataset))
    assert answer.status_code == status
    assert body_of(answer) == (CONTENT if status == 200 else b"56789")


def test_a_download_is_resumed(client, url):
    first = client.get(url, HTTP_RANGE="bytes=0-3")
    rest = client.get(url, HTTP_RANGE="bytes=4-", HTTP_IF_RANGE=first["ETag"])
    assert body_of(first) + body_of(rest) == CONTENT


# --- Conditions ----------------------------------------------------------------------------------

CONDITIONS = [
    ({"if-none-match": ETAG}, 304),
    ({"if-none-match": f"W/{ETAG}"}, 304),
    ({"if-none-match": f"{OTHER}, {ETAG}"}, 304),
    ({"if-none-match": "*"}, 304),
    ({"if-none-match": OTHER}, 200),
    ({"if-modified-since": "{then}"}, 304),
    ({"if-modified-since": "{after}"}, 304),
    ({"if-modified-since": "{before}"}, 200),
    ({"if-modified-since": "nonsense"}, 200),
    # What is shown exactly counts, not the date.
    ({"if-none-match": OTHER, "if-modified-since": "{after}"}, 200),
    ({"if-match": ETAG}, 200),
    ({"if-match": "*"}, 200),
    ({"if-match": OTHER}, 412),
    ({"if-match": f"W/{ETAG}"}, 412),
    ({"if-unmodified-since": "{after}"}, 200),
    ({"if-unmodified-since": "{before}"}, 412),
    # Conditions come before ranges.
    ({"if-none-match": ETAG, "range": "bytes=2-5"}, 304),
    ({"if-match": OTHER, "range": "bytes=99-"}, 412),
]


def in_short(value) -> str:
    return str(value).replace(ETAG, "ours").replace(OTHER, "other")


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(("headers", "status"), CONDITIONS, ids=in_short)
def test_a_condition(client, url, dataset, method, headers, status):
    headers = {name: dated(value, dataset) for name, value in headers.items()}
    answer = getattr(client, method)(url, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert body_of(answer) == (CONTENT if method == "get" else b"")
    else:
        assert not answer.content
    if status != 412:
        assert answer["ETag"] == ETAG
        assert answer["Last-Modified"] == dated("{then}", dataset)
        assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "headers",
    [*(headers for headers, _ in CONDITIONS), {"range": "bytes=0-0"}, {"range": "bytes=99-"}],
    ids=in_short,
)
def test_permission_is_asked_first(carol, client_of, dataset, url, headers):
    """Even that somebody has the file already is shown only to who may have it."""
    headers = {name: dated(value, dataset) for name, value in headers.items()}
    for method in ("get", "head"):
        answer = getattr(client_of(carol), method)(url, headers=headers)
        assert answer.status_code == 403
        assert not {"ETag", "Content-Range", "Last-Modified"} & set(answer.headers)


def test_a_browser_gets_the_same(alice, session_of, url):
    answer = session_of(alice).get(url, headers={"range": "bytes=2-5"})
    assert (answer.status_code, body_of(answer)) == (206, b"2345")
    answer = session_of(alice).get(url, headers={"if-none-match": ETAG, "accept-encoding": "gzip"})
    assert answer.status_code == 304


# --- Who sends the bytes --------------------------------------------------------------------------


class ByServer:
    """What a WSGI server gives an application that has a file to send."""

    def __init__(self, file, size: int) -> None:
        self.file, self.size = file, size


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize(("header", "place", "length"), [("", 0, 10), ("bytes=4-6", 4, 3)])
def test_the_server_may_send_from_the_file_itself(client, url, header, place, length):
    """From where the descriptor stands, for Content-Length."""
    headers = {"HTTP_RANGE": header, "HTTP_AUTHORIZATION": client.defaults["HTTP_AUTHORIZATION"]}
    environ = RequestFactory().get(url, **headers).environ
    reported: dict[str, str] = {}
    answer = get_wsgi_application()(
        {**environ, "wsgi.file_wrapper": ByServer, "wsgi.input": BytesIO()},
        lambda status, headers: reported.update(headers),
    )
    assert isinstance(answer, ByServer)
    assert (answer.file.fileno() > 2, reported["Content-Length"]) == (True, str(length))
    assert os.lseek(answer.file.fileno(), 0, os.SEEK_CUR) == place
    answer.file.close()


HANDED = [
    ("x-accel-redirect", "X-Accel-Redirect", "/stored-files/{name}"),
    ("x-sendfile", "X-Sendfile", "{root}/{name}"),
]


@pytest.mark.parametrize(("how", "header", "value"), HANDED)
def test_the_web_server_before_us_may_send(
    client, dataset, url, settings, tmp_path, how, header, value
):
    settings.DOWNLOADS = how
    root = settings.STORAGE_ROOT = tmp_path / "été 100%"
    answer = client.get(url, HTTP_RANGE="bytes=2-5")
    quoted = f"{tmp_path}/%C3%A9t%C3%A9%20100%25"
    assert answer[header] == value.format(name=dataset.opener.name, root=quoted)
    assert root.is_absolute()
    # The range is for the web server to answer.
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Disposition"] == 'attachment; filename="opener.py"'
    assert answer["ETag"] == ETAG
    assert client.get(url, headers={"if-none-match": ETAG}).status_code == 304
    assert client.head(url)["Content-Length"] == "10"


@pytest.mark.parametrize(("how", "header", "value"), HANDED)
def test_the_web_server_is_shown_nothing_for_who_may_not(
    client_of, carol, url, settings, how, header, value
):
    settings.DOWNLOADS = how
    answer = client_of(carol).get(url)
    assert (answer.status_code, answer.has_header(header)) == (403, False)


# --- When storage fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [(PermissionError, 503, "does not respond"), (FileNotFoundError, 500, "the fault is logged")],
)
def test_a_file_that_cannot_be_read(client, url, monkeypatch, error, status, detail):
    """503 asks to try again; a file that is lost is not found by that."""

    def fail(storage, name, mode="rb"):
        raise error(name)

    monkeypatch.setattr(FileSystemStorage, "_open", fail)
    client.raise_request_exception = False
    answer = client.get(url)
    assert (answer.status_code, answer.has_header("Retry-After")) == (status, status == 503)
    assert detail in answer.json()["detail"]


def test_large_ranges_leave_in_pieces(alice, client):
    data = bytes(range(256)) * 8000
    dataset = builders.make_dataset(alice, data_opener=builders.upload(data))
    url = f"/api/data_manager/{dataset.key}/opener/"
    answer = client.get(url, HTTP_RANGE="bytes=1000-1999999")
    assert isinstance(answer, FileResponse)
    pieces = list(answer.streaming_content)
    assert b"".join(pieces) == data[1000:2000000]
    assert max(map(len, pieces)) <= 2**18

"""Bodies with files: the parts that clients send, in whatever way they write them."""

import pytest
from django.conf import settings
from django.test import RequestFactory

from assets.common.ops import multipart

BOUNDARY = "edge"


def part(disposition: str, content: bytes = b"content", more: str = "") -> bytes:
    return f"Content-Disposition: form-data; {disposition}\r\n{more}\r\n".encode() + content


def body(*parts: bytes, end: str = "--") -> bytes:
    edge = f"--{BOUNDARY}".encode()
    return b"".join(edge + b"\r\n" + one + b"\r\n" for one in parts) + edge + end.encode()


@pytest.fixture
def received():
    """Return the request with a body, of a signed-in user; its files are closed at the end."""
    requests = []

    def receive(content: bytes):
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        request = RequestFactory().post("/", content, content_type=kind)
        request.user = type("User", (), {"is_authenticated": True})()
        requests.append(request)
        return request

    yield receive
    for request in requests:
        request.close()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('filename="a.zip"', "a.zip"),
        ("filename=a.zip", "a.zip"),
        ("filename*=utf-8''%C3%A9t%C3%A9.zip", "été.zip"),
        ('filename="été.zip"', "été.zip"),
        (r'filename="C:\folder\a.zip"', "a.zip"),
        ('filename="../a.zip"', "a.zip"),
        ('filename="a&amp;b.zip"', "a&b.zip"),
    ],
)
def test_names_of_files(written, name, received):
    request = received(body(part(f'name="file"; {written}')))
    file = request.FILES["file"]
    assert (file.name, file.size, file.read()) == (name, 7, b"content")


def test_a_file_that_was_not_chosen_is_left_out(received):
    request = received(body(part('name="file"; filename=""', b""), part('name="json"', b"{}")))
    assert not request.FILES
    assert request.POST["json"] == "{}"


def test_equal_names_are_all_kept(received):
    parts = [part('name="a"; filename="x"', b"%d" % n) for n in range(3)]
    request = received(body(*parts, part('name="b"', b"1"), part('name="b"', b"2")))
    assert [file.read() for file in request.FILES.getlist("a")] == [b"0", b"1", b"2"]
    assert request.POST.getlist("b") == ["1", "2"]


def test_what_is_no_text_is_replaced(received):
    assert received(body(part('name="a"', b"\xff"))).POST["a"] == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            body(part('name="a"', b"Y29udGVudA==", "Content-Transfer-Encoding: base64\r\n")),
            "base64",
        ),
        (body(part('name="a"'), end=""), "Unexpected end"),
        (body(b"no head\r\n\r\n"), "header"),
    ],
    ids=["base64", "cut off", "no head"],
)
def test_what_cannot_be_read(client, content, reason, received):
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    answer = client.post("/sign-in/", content, content_type=kind)
    assert answer.status_code == 400
    with pytest.raises(Exception, match=reason):
        assert received(content).POST


def is_in_memory(file) -> bool:
    return file.file.name is None


def test_small_files_are_in_memory_until_they_are_many(monkeypatch, received):
    monkeypatch.setattr(multipart, "MAX_IN_MEMORY", 25)
    parts = [part(f'name="{n}"; filename="x"', bytes(10)) for n in range(4)]
    files = received(body(*parts)).FILES
    assert [is_in_memory(files[str(n)]) for n in range(4)] == [True, True, False, False]


def test_a_large_file_is_on_the_disk(monkeypatch, received):
    monkeypatch.setattr(settings, "FILE_UPLOAD_MAX_MEMORY_SIZE", 9)
    files = received(body(part('name="a"; filename="x"', bytes(10)))).FILES
    assert not is_in_memory(files["a"])
    assert files["a"].read() == bytes(10)


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", [part(f'name="{n}"') for n in range(3)]),
        ("DATA_UPLOAD_MAX_NUMBER_FILES", [part(f'name="{n}"; filename="x"') for n in range(3)]),
    ],
)
def test_limits(setting, parts, monkeypatch, received):
    monkeypatch.setattr(settings, setting, 2)
    assert received(body(*parts[:2])).POST is not None
    with pytest.raises(Exception, match="too many"):
        assert received(body(*parts)).POST

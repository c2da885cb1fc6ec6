"""The pages that take a file ahead of its form and answer with a line about it."""

import pytest
from django.urls import reverse

from assets.uploads.models import Upload
from tests.builders import OPENER, upload, zip_of

FILES = {
    "upload-opener": upload(OPENER, "opener.py"),
    "upload-description": upload(b"# Notes\n", "notes.md"),
    "upload-data-sample": upload(zip_of({"a.csv": b"1"}), "a.zip"),
}
NAMES = sorted(FILES)


def send(browser, name, file, field="some-field"):
    return browser.post(reverse(name), {"file": file, "field": field})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_fine_waits_for_its_form(name, alice, session_of):
    FILES[name].seek(0)
    response = send(session_of(alice), name, FILES[name])
    assert response.status_code == 200
    found = Upload.objects.get()
    assert found.user == alice
    html = response.content.decode()
    assert f'name="some-field-staged" value="{found.pk}" checked' in html
    assert "advice" not in html
    assert found.name in html


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", None], ids=["empty", "missing"])
def test_a_file_that_is_at_fault_is_not_kept(name, content, alice, session_of):
    data = {} if content is None else {"file": upload(content, "empty")}
    response = session_of(alice).post(reverse(name), data)
    assert response.status_code == 422
    message = "Missing file" if content is None else "The file is empty"
    assert message in response.content.decode()
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_above_the_limit(name, alice, session_of, settings):
    settings.MAX_UPLOAD_SIZE = 3
    FILES[name].seek(0)
    response = send(session_of(alice), name, FILES[name])
    assert response.status_code == 422
    assert "File too large" in response.content.decode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("who", ["victor", "root"])
def test_who_may_not_register_sends_nothing(name, who, request, session_of):
    FILES[name].seek(0)
    response = send(session_of(request.getfixturevalue(who)), name, FILES[name])
    assert response.status_code == 422
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_get_is_no_way_to_send_and_strangers_sign_in_first(name, alice, session_of, client):
    assert session_of(alice).get(reverse(name)).status_code == 405
    assert send(client, name, upload(b"x")).status_code == 302


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 1\ndef broken(:\n", "in line 2"),
        (b"x = 1\n", "This file has no class"),
        (b"\n\nclass Opener: ...\n", "not even Opener in line 3"),
        (b"x\0", "null bytes"),
        (b"# coding: none-such\n", "none-such"),
        (b"a" * 1_000_001, "too large to check"),
        (b"(" * 5000, "cannot read this file"),
    ],
)
def test_an_opener_that_looks_wrong_is_kept_with_advice(content, message, alice, session_of):
    response = send(session_of(alice), "upload-opener", upload(content, "opener.py"))
    assert response.status_code == 200
    html = response.content.decode()
    assert 'class="advice"' in html
    assert message in html
    # What to do about it.
    assert "hoose" in html
    assert Upload.objects.count() == 1


def test_a_description_that_no_one_can_read(alice, session_of):
    response = send(session_of(alice), "upload-description", upload(b"\xff\xfe", "notes.md"))
    assert "not UTF-8 text" in response.content.decode()


@pytest.mark.parametrize("content", [b"text", zip_of({"../a": b"1"}), zip_of({})])
def test_an_archive_that_cannot_be_a_sample(content, alice, session_of):
    response = send(session_of(alice), "upload-data-sample", upload(content, "bad.zip"))
    assert response.status_code == 422
    assert "bad.zip" in response.content.decode()
    assert not Upload.objects.exists()


def test_names_are_shown_as_text(alice, session_of):
    response = send(
        session_of(alice), "upload-opener", upload(OPENER, '<img src="x">.py'), field='"><script>'
    )
    html = response.content.decode()
    assert "<img" not in html
    assert "<script" not in html

"""The pages of imports: a zip is staged, checked, and registered in steps."""

import re

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from assets.datasets.models import DataSample, Dataset
from assets.imports import forms, pages
from assets.uploads.models import Upload
from assets.uploads.registration import stage
from tests.builders import make_dataset, upload, zip_of
from tests.files.stored import nothing_left

from .studies import dataset_lines, datasets_csv, only, study

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

URL = "/import/"


@pytest.fixture
def browser(alice, session_of):
    return session_of(alice)


def zipped(files) -> object:
    return upload(zip_of(files), "study.zip")


def staged(browser, files) -> str:
    """Send a zip; return the address of the page that checks it."""
    response = browser.post(URL, {"archive": zipped(files)})
    assert response.status_code == 302
    return response.url


def text_of(response) -> str:
    plain = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(plain.split())


def test_a_zip_is_checked_and_nothing_is_registered(browser):
    url = staged(browser, study())
    with nothing_left():
        response = browser.get(url)
    assert "5 assets can be registered." in text_of(response)
    assert "new Ward 1 Dataset datasets.csv, line 2" in text_of(response)


def test_warnings_are_shown(browser):
    url = staged(browser, {**study(), "openers/opener.py": b"no python("})
    response = browser.get(url)
    assert response.content.decode().count('<div class="advice">data_opener: ') == 2


def test_registering(browser, django_capture_on_commit_callbacks):
    url = staged(browser, study())
    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(url)
    assert response.status_code == 200
    assert "5 assets are registered." in text_of(response)
    for dataset in Dataset.objects.all():
        assert f'<a href="{reverse("dataset", args=[dataset.pk])}">{dataset.name}</a>' in (
            response.content.decode()
        )
    assert DataSample.objects.count() == 2
    # The zip is no longer needed.
    assert not Upload.objects.exists()
    assert default_storage.listdir("uploads")[1] == []


def test_steps(browser, monkeypatch):
    monkeypatch.setattr(pages, "SECONDS_PER_STEP", -1)
    url = staged(browser, only("datasets.csv", datasets_csv(*dataset_lines(3))))
    after, seen = 0, []
    while True:
        response = browser.post(url, {"after": after} if after else {})
        seen.append(Dataset.objects.count())
        found = re.search(r'name="after" value="(\d+)"', response.content.decode())
        if not found:
            break
        assert f"{found[1]} of 3 rows are processed." in text_of(response)
        assert 'hx-trigger="load, submit"' in response.content.decode()
        after = found[1]
    assert seen == [1, 2, 3]
    assert "3 assets are registered." in text_of(response)


def test_rows_with_problems_are_left_out_and_the_zip_stays(browser):
    lines = dataset_lines(2)
    lines[1] = (*lines[1][:3], "no.md", *lines[1][4:])
    url = staged(browser, only("datasets.csv", datasets_csv(*lines)))
    response = browser.get(url)
    shown = text_of(response)
    assert "1 asset can be registered. 1 row has a problem and is left out." in shown
    assert 'problem Ward 2 datasets.csv, line 3 description: there is no file "no.md".' in (
        shown.replace("&quot;", '"')
    )
    assert "1 asset is registered. 1 row has a problem" in text_of(browser.post(url))
    assert Dataset.objects.get().name == "Ward 1"
    assert Upload.objects.exists()


def test_the_same_zip_again(browser):
    browser.post(staged(browser, study()))
    url = staged(browser, study())
    response = browser.get(url)
    assert "5 assets are registered." in text_of(response)
    assert ">Register " not in response.content.decode()
    browser.post(url)
    assert (Dataset.objects.count(), DataSample.objects.count()) == (2, 2)


def test_many_rows_are_not_all_shown(browser, monkeypatch):
    monkeypatch.setattr(pages, "ROWS_SHOWN", 2)
    url = staged(browser, only("datasets.csv", datasets_csv(*dataset_lines(5))))
    assert "3 more rows are not shown." in text_of(browser.get(url))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty. Choose another file."),
        (b"name\n", "Not a readable zip or tar archive"),
        (zip_of({"notes.md": b"#"}), "There is no list. Add datasets.csv"),
        (zip_of({"../datasets.csv": b"name\n"}), "has an unsafe path"),
    ],
)
def test_what_is_no_import(browser, content, message):
    response = browser.post(URL, {"archive": upload(content, "study.zip")})
    assert response.status_code == 422
    assert message in response.context["form"].errors["archive"][0]


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("MAX_UPLOAD_SIZE", 100, "File too large"),
        ("MAX_WAITING_SIZE", 100, "You have uploaded 0 files"),
    ],
)
def test_a_zip_that_is_too_large(browser, settings, setting, value, message):
    setattr(settings, setting, value)
    response = browser.post(URL, {"archive": zipped(study())})
    assert response.status_code == 422
    assert message in str(response.context["form"].errors)


def test_too_many_rows_for_a_page(browser, monkeypatch):
    monkeypatch.setattr(forms, "MAX_ROWS", 4)
    response = browser.post(URL, {"archive": zipped(study())})
    assert (
        "The lists have 5 rows; the limit on this page is 4."
        in (response.context["form"].errors["archive"][0])
    )


def test_a_zip_that_was_uploaded_ahead(alice, browser):
    response = browser.post("/uploads/import/", {"field": "archive", "file": zipped(study())})
    assert response.status_code == 200
    kept = Upload.objects.get()
    response = browser.post(URL, {"archive-staged": str(kept.pk)})
    assert response.url == f"{URL}{kept.pk}/"
    assert kept.passed == "import 1"


@pytest.mark.parametrize("content", [zip_of({"data.csv": b"1"}), b"no zip"])
def test_an_upload_for_another_form(alice, browser, content):
    other = stage(alice, upload(content, "visit.zip"))
    response = browser.get(f"{URL}{other.pk}/", follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert response.context["messages"]


def test_others_see_no_upload(alice, bob, session_of):
    kept = stage(alice, zipped(study()))
    response = session_of(bob).post(f"{URL}{kept.pk}/", follow=True)
    assert "This zip is imported, or was deleted a day after its upload." in text_of(response)
    assert not Dataset.objects.exists()


def test_who_may_not_register(alice, victor, session_of, client):
    kept = stage(alice, zipped(study()))
    viewer = session_of(victor)
    assert "Your role is viewer" in text_of(viewer.get(URL))
    assert viewer.post(URL, {"archive": zipped(study())}).status_code == 422
    assert client.get(f"{URL}{kept.pk}/").url.startswith("/sign-in/")
    Upload.objects.filter(pk=kept.pk).update(user=victor)
    assert "Your role is viewer" in text_of(viewer.post(f"{URL}{kept.pk}/", follow=True))
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("url", ["/datasets/", "/data-samples/", "/functions/"])
def test_lists_link_to_the_page(alice, victor, browser, session_of, url):
    link = f'href="{URL}"'
    # Empty, and with rows; where one asset is registered.
    assert browser.get(url).content.decode().count(link) == 2
    make_dataset(alice)
    assert link in browser.get("/datasets/").content.decode()
    assert link in browser.get(f"{url}new/").content.decode()
    assert link not in session_of(victor).get(url).content.decode()

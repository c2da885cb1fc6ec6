"""Two of the same request at once: one writes, and the other is answered by what it did."""

import pytest
from django.test import Client

from assets.datasets.models import Dataset
from assets.uploads.registration import stage
from tests import builders
from tests.files.conftest import shared_database  # noqa: F401  a fixture of this folder, too
from tests.files.threads import at_once
from tests.pages.interface import PagesInterface

from .test_keys import post
from .twice import TOKEN

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]


def test_two_clicks_at_once_register_once(alice, session_of):
    """The files were sent ahead, so each click finds what the other may have taken."""
    spec = builders.dataset_spec()
    waiting = {
        "data_opener-staged": str(stage(alice, spec.data_opener).pk),
        "description-staged": str(stage(alice, spec.description).pk),
    }
    url, data = PagesInterface(session_of).form(spec)
    data = {name: value for name, value in data.items() if not hasattr(value, "read")}
    cookies = session_of(alice).cookies

    def click():
        browser = Client()
        browser.cookies = cookies
        return browser.post(url, {**data, **waiting, **TOKEN})

    first, second = at_once(click, click)
    dataset = Dataset.objects.get()
    assert {first["Location"], second["Location"]} == {f"/datasets/{dataset.pk}/"}


def test_two_requests_at_once_with_one_key(alice, client_of):
    clients = [client_of(alice), client_of(alice)]
    answers = at_once(*(lambda client=client: post(client) for client in clients))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Dataset.objects.count() == 1

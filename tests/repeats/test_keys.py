"""`Idempotency-Key`, and the token of a form: what counts as the same request, and whose it is."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.accounts.models import User
from assets.common.idempotency.keys import LIFETIME, digest_of
from assets.common.idempotency.models import IdempotencyKey
from assets.datasets.models import Dataset
from tests import builders
from tests.pages.interface import PagesInterface

from .twice import TOKEN, rewound

pytestmark = pytest.mark.postgresql

URL = "/api/data_manager/"


def post(client, key="k", **spec):
    body = builders.wire_dataset(builders.dataset_spec(**spec))
    return client.post(URL, body, headers={"Idempotency-Key": key})


@pytest.mark.django_db
class TestHeader:
    def test_the_same_again_is_answered_as_before(self, alice, client_of):
        client = client_of(alice)
        first, second = post(client), post(client)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()

    @pytest.mark.parametrize(
        "other",
        [{"name": "Other"}, {"data_opener": builders.upload(b"other = 1\n", "opener.py")}],
        ids=["a field", "a file"],
    )
    def test_other_content_is_refused(self, alice, client_of, other):
        client = client_of(alice)
        made = post(client).json()["key"]
        answer = post(client, **other)
        assert answer.status_code == 422
        assert answer.json()["key"] == made
        assert "new key" in answer.json()["detail"]
        assert Dataset.objects.count() == 1

    def test_keys_are_a_user_s_own(self, alice, ada, client_of):
        keys = {post(client_of(user)).json()["key"] for user in (alice, ada)}
        assert len(keys) == 2

    def test_a_digest_shows_nothing_without_the_secret(self, settings):
        """The request may hold a password."""
        found = digest_of("POST", "/api/users/", data={"password": "a"})
        assert found == digest_of("POST", "/api/users/", data={"password": "a"})
        settings.SECRET_KEY = "another"
        assert found != digest_of("POST", "/api/users/", data={"password": "a"})

    def test_without_a_key_the_same_again_is_another_asset(self, alice, client_of):
        client = client_of(alice)
        assert post(client, key="").json()["key"] != post(client, key="").json()["key"]

    def test_what_was_refused_may_be_sent_again(self, alice, client_of):
        client = client_of(alice)
        assert post(client, name="").status_code == 400
        assert post(client, name="Named now").status_code == 201

    def test_a_long_key_is_refused(self, alice, client_of):
        answer = post(client_of(alice), key="k" * 256)
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("OE0003: ")
        assert "Idempotency-Key" in answer.json()["detail"]

    def test_whatever_takes_a_key_says_so_and_refuses_another_request_with_it(self, ada, client_of):
        client = client_of(ada)
        schema = client.get("/api/schema/?format=json").json()["paths"]
        taking = {
            path
            for path, item in schema.items()
            if any(
                one["name"] == "Idempotency-Key"
                for one in item.get("post", {}).get("parameters", ())
            )
        }
        post(client)
        for path in taking:
            url, headers = re.sub(r"{\w+}", str(uuid4()), path), {"Idempotency-Key": "k"}
            assert client.post(url, {}, format="json", headers=headers).status_code == 422, path
        creating = {"data_manager", "data_sample", "function", "compute_plan", "api-token", "users"}
        assert {f"/api/{name}/" for name in creating} <= taking
        assert "/api/task/bulk_create/" in taking
        assert "422" in schema[URL]["post"]["responses"]


@pytest.mark.django_db
class TestForms:
    def form(self, session_of, user: User, **spec):
        url, data = PagesInterface(session_of).form(builders.dataset_spec(**spec))
        return session_of(user).post(url, {**rewound(data), **TOKEN})

    def test_a_form_that_was_changed_registers_what_it_shows(self, alice, session_of):
        self.form(session_of, alice, name="First")
        assert self.form(session_of, alice, name="Changed").status_code == 302
        assert set(Dataset.objects.values_list("name", flat=True)) == {"First", "Changed"}

    def test_a_form_that_was_refused_is_sent_again(self, alice, session_of):
        assert self.form(session_of, alice, name="").status_code == 422
        assert self.form(session_of, alice, name="Named").status_code == 302

    def test_another_user_s_form_is_another(self, alice, ada, session_of):
        for user in (alice, ada):
            self.form(session_of, user)
        assert Dataset.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_keys_are_forgotten(alice, client_of):
    client = client_of(alice)
    post(client, key="old")
    IdempotencyKey.objects.update(created_at=timezone.now() - LIFETIME - timedelta(minutes=1))
    post(client, key="new")
    assert IdempotencyKey.objects.count() == 1
    assert post(client, key="old").status_code == 201
    assert Dataset.objects.count() == 3

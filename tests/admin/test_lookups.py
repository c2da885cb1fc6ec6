"""What lists of the admin filter, search and order by: what they show, and nothing else."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.utils import timezone

from assets.accounts.models import Organization
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.tokens import create_token
from assets.common.audit import Action, SubjectKind
from assets.feed.models import Event
from assets.feed.registration import record_private
from tests.rules.world import A, B

from .interface import admin_url

pytestmark = pytest.mark.postgresql

# A kind, and lookups of what its pages do not show to everyone.
HIDDEN = {
    "computeplan": ("creator__username__startswith", "creator__password__contains", "creator"),
    "dataset": ("opener__startswith", "name__regex", "name__iregex", "owner__users__username"),
    "datasample": ("path__startswith", "checksum__gt", "archive__contains", "links__id"),
    "function": ("archive__startswith", "tasks__compute_plan__creator__username", "name__regex"),
    "task": ("compute_plan__creator__username__startswith", "compute_plan__creator__password__gt"),
    "model": ("file__startswith", "task__compute_plan__creator__username__regex"),
    "failurereport": ("logs_checksum__startswith", "logs__startswith"),
    "performance": ("output__task__compute_plan__creator__username",),
    "organization": ("users__username__startswith", "users__password__startswith"),
    "user": ("password__startswith", "api_tokens__digest__startswith", "username__regex"),
    "apitoken": ("digest__startswith", "user__password__startswith", "note__regex"),
    "event": ("actor__username", "actor_name", "address", "address__startswith", "detail__path"),
    "runner": ("digest__startswith", "organization__users__password__startswith"),
    "job": ("runner__digest__startswith", "task__compute_plan__creator__username"),
    "approval": ("decided_by__password__startswith", "compute_plan__creator__username"),
    "permissions": ("organizations__users__username", "digest__gt"),
}


@pytest.mark.parametrize("who", ["bob", "root"])
def test_what_pages_hide_filters_nothing(who, world, session_of):
    browser = session_of(world.users[who])
    for kind, lookups in HIDDEN.items():
        for lookup in lookups:
            page = browser.get(admin_url(kind, "changelist"), {lookup: "a"})
            assert page.status_code == 400, (kind, lookup)
            assert lookup in page.content.decode()


def test_every_kind_has_its_hidden_lookups():
    models = {model._meta.model_name for model in admin.site._registry}
    assert models == set(HIDDEN)


# Values that no column or database takes.
BAD = [
    ("dataset", "type", "a\0"),
    ("dataset", "owner__id__exact", "\0"),
    ("dataset", "creation_date__gte", "0001-01-01T00:00:00+14:00"),
    ("dataset", "creation_date__lt", "9999-12-31T23:59:59-12:00"),
    ("dataset", "creation_date__gte", "soon"),
    ("dataset", "creation_date__gte", "2024-01-01"),
    ("dataset", "creation_date__year", "9999"),
    ("dataset", "creation_date__year", "0"),
    ("dataset", "creation_date__year", "x"),
    ("dataset", "permissions__public__exact", "x"),
    ("dataset", "nothing", "x"),
    ("dataset", "owner__isnull", "x"),
    ("apitoken", "p", "99999999999999999999"),
    ("dataset", "_to_field", "opener"),
    ("dataset", "owner__id__exact", ["x"] * 2000),
    ("task", "compute_plan", "x"),
    ("event", "asset_key", "x"),
    ("event", "asset_name", "\0"),
]


def test_a_lookup_that_is_none_is_refused(world, session_of):
    browser = session_of(world.alice)
    # More tokens than a page shows.
    for _ in range(51):
        create_token(world.alice, expires_at=timezone.now() + timedelta(hours=1))
    for kind, lookup, value in BAD:
        page = browser.get(admin_url(kind, "changelist"), {lookup: value})
        assert page.status_code == 400, (kind, lookup, value)


TAKEN = [
    ("dataset", {"creation_date__year": "2024", "creation_date__month": "2"}),
    ("dataset", {"creation_date__year": "9998", "creation_date__month": "12"}),
    ("dataset", {"creation_date__gte": "2024-01-01 00:00:00+00:00"}),
    ("dataset", {"o": ".".join(["1"] * 3000)}),
    ("dataset", {"o": "-99.x.3"}),
    ("dataset", {"q": "a\0b", "_facets": "True"}),
    ("event", {"asset_kind__exact": "user", "asset_name": "alice", "_facets": "True"}),
    ("user", {"_popup": "1", "_to_field": "id"}),
    ("permissions", {"organizations__id__exact": A}),
]


def test_what_a_list_offers_is_taken(world, session_of):
    browser = session_of(world.alice)
    for kind, params in TAKEN:
        page = browser.get(admin_url(kind, "changelist"), params)
        assert page.status_code == 200, (kind, params)


def test_every_address_that_a_list_offers_is_taken(world, session_of):
    """A list reads its own links: filters, with counts and without."""
    browser = session_of(world.users["ada"])
    for kind in HIDDEN:
        listed = browser.get(admin_url(kind, "changelist"), {"_facets": "True"}).context["cl"]
        for spec in listed.filter_specs:
            for choice in spec.choices(listed):
                page = browser.get(admin_url(kind, "changelist") + choice["query_string"])
                assert page.status_code == 200, (kind, choice)


@pytest.mark.parametrize(
    ("who", "seen"), [("ada", True), ("root", True), ("alice", False), ("bob", False)]
)
def test_addresses_are_shown_to_who_may_audit(who, seen, world, session_of):
    session_of(world.alice).post(
        "/admin/assets/computeplan/add/", {"name": "From here"}, REMOTE_ADDR="192.0.2.7"
    )
    pk = Event.objects.get(asset_name="From here").pk
    browser = session_of(world.users[who])
    listed = browser.get(admin_url("event", "changelist"), {"q": "From here"}).content.decode()
    shown = browser.get(admin_url("event", "change", pk)).content.decode()
    assert ("192.0.2.7" in listed, "192.0.2.7" in shown) == (seen, seen)


def test_autocomplete_finds_only_users_that_are_seen(world, session_of):
    browser = session_of(world.bob)
    fields = {"app_label": "assets", "model_name": "event", "field_name": "actor"}
    for term in ("alice", "external", "a", ""):
        found = browser.get("/admin/autocomplete/", {**fields, "term": term}).json()["results"]
        assert "alice" not in str(found)


def test_autocomplete_finds_only_runners_that_are_seen(world, session_of):
    for organization in Organization.objects.all():
        create_runner(organization, name=f"machine of {organization.pk}")
    fields = {"app_label": "assets", "model_name": "job", "field_name": "runner", "term": ""}
    found = session_of(world.bob).get("/admin/autocomplete/", fields).json()["results"]
    assert [item["text"].partition(" (")[0] for item in found] == [f"machine of {B}"]


def test_autocomplete_takes_any_text(world, session_of):
    browser = session_of(world.bob)
    fields = {"app_label": "assets", "model_name": "task", "field_name": "function"}
    for term in ("a\0b", '"', "[(", "%"):
        assert browser.get("/admin/autocomplete/", {**fields, "term": term}).status_code == 200


def test_the_history_of_an_organisation_has_no_names(world, session_of):
    """Only its own admins see who added it."""
    create_organization("Seen")
    record_private(Action.CHANGED, SubjectKind.USER, name="x", actor=world.users["root"])
    for kind, key in (("organization", "Seen"), ("user", world.bob.pk)):
        page = session_of(world.bob).get(admin_url(kind, "history", key), follow=True)
        assert page.status_code == 200
        assert not {"root", "alice"} & set(
            page.context["cl"].result_list.values_list("visible_actor")
        )


def test_events_of_a_user_are_found_by_history(world, session_of):
    browser = session_of(world.users["root"])
    page = browser.get(admin_url("user", "history", world.bob.pk), follow=True)
    assert {event.asset_name for event in page.context["cl"].result_list} == {"bob"}
    page = browser.get(admin_url("organization", "history", B), follow=True)
    assert {event.asset_name for event in page.context["cl"].result_list} <= {B}

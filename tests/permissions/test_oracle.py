"""Random decisions in random consortia, through every interface: the server and the oracle agree.

`make oracle` asks for 10,000; ORACLE_DECISIONS and ORACLE_SEED say how many, and which.
"""

import os
from collections import Counter
from datetime import timedelta
from functools import cache

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from assets.accounts.models import ApiToken
from assets.accounts.registration.tokens import create_token
from tests.files.stored import NOT_REGISTERED, row_counts
from tests.properties.helpers import rolled_back

from .attempts import ATTEMPTS
from .consortia import make_consortium
from .oracle import DONE, verdict

PER_CONSORTIUM = 200
DECISIONS = int(os.environ.get("ORACLE_DECISIONS", "600"))
FIRST_SEED = int(os.environ.get("ORACLE_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + -(-DECISIONS // PER_CONSORTIUM))

# A page that refuses keeps what was sent with it, for its sender.
UNCOUNTED = {*NOT_REGISTERED, "Upload"}
READING = {
    "read",
    "watch",
    "guess",
    "download",
    "look inside",
    "colleague",
    "audit",
    "read event",
    "let in",
}
# Attempts that make something ready first.
PREPARING = {"add a task"}


def clients_of(consortium):
    """One browser and one token for each person, made when they are first asked for."""

    @cache
    def client(name: str, interface: str):
        user = consortium.users[name]
        if interface != "api":
            browser = Client()
            browser.force_login(user)
            return browser
        token, secret = create_token(user, expires_at=timezone.now() + timedelta(hours=1))
        who = next(who for who in consortium.people if who.name == name)
        if not who.token:
            past = timezone.now() - timedelta(minutes=1)
            ApiToken.objects.filter(pk=token.pk).update(
                created_at=past - timedelta(minutes=1), expires_at=past
            )
        return APIClient(HTTP_AUTHORIZATION=f"Token {secret}")

    return client


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_every_interface_decides_as_the_contract(seed, settings, record_property):
    settings.OIDC_ISSUER = "https://id.example"
    consortium = make_consortium(seed)
    random, client = consortium.random, clients_of(consortium)
    compared: Counter = Counter()
    wrong = []
    for _ in range(PER_CONSORTIUM):
        who = random.choice(consortium.people)
        name = random.choice(sorted(ATTEMPTS))
        attempt = ATTEMPTS[name]
        interface = random.choice(attempt.interfaces)
        whats = tuple(consortium.one(kind) for kind in attempt.kinds)
        browser = client(who.name, interface)
        expected = verdict(who, attempt.right, whats, interface)
        with rolled_back():
            before = None if attempt.right in READING else row_counts(without=UNCOUNTED)
            found = attempt.send(consortium, interface, browser, whats)
            if found != DONE and before is not None and name not in PREPARING:
                assert row_counts(without=UNCOUNTED) == before, (
                    f"{name} by {interface} left something"
                )
        compared[interface, expected] += 1
        if found != expected:
            wrong.append(f"{name} by {interface}: {expected}, but was {found}; {who}, {whats}")
    for (interface, expected), count in compared.items():
        record_property(f"{interface} {expected}", count)
    assert not wrong, "\n".join(wrong)

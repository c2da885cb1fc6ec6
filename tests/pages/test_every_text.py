"""Every page in a made-up language: what is not translated is text without a mark.

Messages are put between brackets, and everything that people typed is in Greek letters. So a word
in Latin letters outside brackets is our text without `gettext`.
"""

import re

import pytest
from django.urls import reverse
from django.utils.translation import _trans

from assets.accounts.models import User
from assets.accounts.registration.runners import create_runner
from assets.execution.registration.trials import begin_trial
from assets.execution.specs import TrialSpec
from assets.pages import urlpatterns
from tests.builders import make_one_of_each
from tests.house.unmarked import texts_of, words_in

OPEN, CLOSE = "⟦", "⟧"
_MARKED = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
# Ids, keys, addresses, dates, sizes and names of files, which no language changes.
_DATA = re.compile(
    r"MyOrg\dMSP|[0-9a-f-]{7,}|\S+@\S+|https?:\S+|\S+\.(py|md|zip|gz|csv)\b"
    r"|\d+(\.\d+)* ?[kKMG]?B\b"
)
NO_PAGES = {"sign-out", "choices", "language", "sign-in-oidc", "sign-in-oidc-return"}
ADMIN = [
    "admin:index",
    *(f"admin:assets_{model}_changelist" for model in ("dataset", "function", "task", "user")),
    *(f"admin:assets_{model}_add" for model in ("dataset", "function", "computeplan", "user")),
]


def bracketed(*, text_at=0):
    def translate(*args):
        texts = args[text_at:]
        if len(texts) > 1 and isinstance(texts[2], int):
            return f"{OPEN}{texts[0] if texts[2] == 1 else texts[1]}{CLOSE}"
        return f"{OPEN}{texts[0]}{CLOSE}" if texts[0] else texts[0]

    return translate


@pytest.fixture
def made_up_language(monkeypatch):
    for name, text_at in (("gettext", 0), ("ngettext", 0), ("pgettext", 1), ("npgettext", 1)):
        getattr(_trans, name)  # Django looks them up at their first use.
        monkeypatch.setattr(_trans, name, bracketed(text_at=text_at), raising=False)


def unmarked(html, known):
    html = re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)
    # Messages contain others, and tags.
    while html != (html := _MARKED.sub(" ", html)):
        pass
    for text in TYPED:
        html = html.replace(text, " ")
    return [
        " ".join(text.split()) for text in texts_of(html) if words_in(_DATA.sub(" ", text), known)
    ]


@pytest.fixture
def registry(alice, org_a):
    names = {"dataset": "Δεδομένα", "function": "Συνάρτηση", "compute_plan": "Μελέτη"}
    runner, _ = create_runner(org_a, name="Θάλαμος")
    found = make_one_of_each(alice, **names)
    trial = begin_trial(TrialSpec(found["function"].pk, found["dataset"].pk), alice)
    return {**found, "runner": runner, "trial": trial}


def address(name, registry):
    """Return the address of a page, or None for one that needs what this registry has not."""
    pattern = str(next(p for p in urlpatterns if p.name == name).pattern)
    if "<key>" in pattern:
        kind = max((kind for kind in registry if name.startswith(kind)), key=len)
        file = {"name": "Dockerfile"} if name == "function-file" else {}
        return reverse(name, kwargs={"key": registry[kind].pk, **file})
    if "<int:pk>" in pattern:
        return reverse(name, args=[User.objects.get(username="victor").pk])
    if "<str:pk>" in pattern:
        return reverse(name, args=["MyOrg1MSP"])
    return None if "<" in pattern else reverse(name)


# Of the builders, and of the people of the tests.
KNOWN = {
    *("alice", "ada", "bob", "victor", "root", "admin", "member", "viewer", "Dockerfile", "images"),
    *("shared", "data", "opener", "datasamples", "model", "performance", "train", "site", "Paris"),
    *("First", "Second", "Third", "hospital", "tabular", "first", "ward", "Measurements"),
    # Django's own names of icons.
    *("True", "False"),
}
# What the builders type, and a name that Django gives an icon in English only.
TYPED = ("Taken in the ward. Été.", 'alt="Search"')
PAGES = [p.name for p in urlpatterns if p.name not in NO_PAGES and "upload-" not in p.name]


@pytest.mark.parametrize("name", PAGES)
def test_page(name, registry, ada, victor, session_of, made_up_language):
    url = address(name, registry)
    if url is None:
        pytest.skip("it needs a token or a link of its own")
    response = session_of(ada).get(url)
    if response.status_code in (302, 404):
        pytest.skip("it needs another state of the account")
    assert response.status_code in (200, 403)
    assert not unmarked(response.content.decode(), KNOWN)


@pytest.mark.parametrize("name", ADMIN)
def test_admin_page(name, registry, ada, victor, session_of, made_up_language):
    response = session_of(ada).get(reverse(name))
    assert response.status_code in (200, 403)
    assert not unmarked(response.content.decode(), KNOWN)


def test_sign_in(client, db, made_up_language):
    assert not unmarked(client.get("/sign-in/").content.decode(), KNOWN)


FORMS = [name for name in PAGES if name.endswith(("-new", "-rename", "-link", "-password"))]


@pytest.mark.parametrize("name", FORMS)
def test_errors(name, registry, ada, victor, session_of, made_up_language):
    """An empty form is refused with translated problems."""
    response = session_of(ada).post(address(name, registry), {"action": "register"})
    if response.status_code == 302:
        pytest.skip("it asks for the password first")
    assert not unmarked(response.content.decode(), KNOWN)

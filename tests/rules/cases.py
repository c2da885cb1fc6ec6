"""A case: one request, and whether it is accepted or how it is refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from assets.accounts.models import ApiToken
from assets.common.errors import Code
from assets.common.files.pending import PendingFiles
from assets.feed.models import Event
from assets.uploads.models import Upload

from .interfaces import Interface, Outcome
from .requests import Request
from .world import World


@dataclass(frozen=True)
class Case:
    """What is sent, its sender, and the verdict: accepted if there is no code."""

    id: str
    build: Callable[[World], Request]
    code: Code | None = None
    field: str = ""
    phrase: str = ""
    by: str = "alice"

    def sent_as(self, wrap: Callable[[Any], Request]) -> "Case":
        """Return the case with what it builds wrapped into another request."""
        build = self.build
        return replace(self, build=lambda world: wrap(build(world)))


def accepted(id: str, build: Callable[[World], Any], **options: Any) -> Case:
    return Case(id, build, **options)


def refused(
    id: str, build: Callable[[World], Any], code: Code, field: str, phrase: str, **options: Any
) -> Case:
    return Case(id, build, code, field, phrase, **options)


def invalid(
    id: str, build: Callable[[World], Any], field: str, phrase: str, **options: Any
) -> Case:
    return refused(id, build, Code.INVALID, field, phrase, **options)


def table(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run the test once for each case, under the case's id."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases])


def verify(case: Case, interface: Interface, world: World) -> Outcome:
    """Send the case: the verdict is as expected, and a refusal wrote nothing."""
    request = case.build(world)
    before = everything()
    outcome = interface.send(world.users[case.by], request)
    if case.code is None:
        assert not outcome.problems
        return outcome
    assert outcome.problems, "accepted"
    first = outcome.problems[0]
    assert (first.code, first.field) == (case.code.label, case.field), outcome.problems
    assert case.phrase in first.message
    assert everything() == before
    return outcome


def everything() -> dict[str, Any]:
    """Return all that is registered: the rows of every table, the bytes of every file.

    Sign-ins are left out, what the audit trail reports besides, files that a form keeps until they
    are registered, and where the next files will be. Equal before and after means that nothing was
    written, not even half of it.
    """
    models = apps.get_app_config("assets").get_models(include_auto_created=True)
    tables = {model._meta.db_table for model in models}
    tables -= {model._meta.db_table for model in (ApiToken, PendingFiles, Upload)}
    kept: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in tables:
            only = "WHERE public" if table == Event._meta.db_table else ""
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} {only}")  # noqa: S608
            kept[table] = sorted(map(repr, cursor.fetchall()))
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    files = (path for path in root.rglob("*") if path.is_file())
    kept["files"] = {path: path.read_bytes() for path in files if path.parent != root / "uploads"}
    return kept

"""Pages that import a zip: one takes it, the next one checks its rows and registers them.

The rows are registered in steps, each a request of a few seconds. With scripts a step starts the
next one; without, a button does.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import messages
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from ..accounts.pages.base import LoginRequiredMixin
from ..common.errors import Refused
from ..common.files.archives.names import UnsafeArchive
from ..common.pages.base import Crumb, Page, crumb, url_of
from ..common.pages.markup import tag
from ..common.urls import PAGES
from ..permissions.pages import FormPage
from ..uploads.models import StagedFile, Upload
from ..uploads.pages import UploadView
from ..uploads.registration import discard, uploads_of
from .advice import advice_on
from .forms import ImportForm, check_zip, open_zip
from .lists import NoLists
from .registration import Import
from .specs import LIST_KINDS, Outcome, State

# How long a step takes; it ends with the row that it is at.
SECONDS_PER_STEP = 3.0
# How many rows a table shows.
ROWS_SHOWN = 100

# The words of the table, each with the style of its tag.
STATES = {
    State.NEW: (gettext_lazy("new"), "waiting"),
    State.KNOWN: (gettext_lazy("registered"), "done"),
    State.REFUSED: (gettext_lazy("problem"), "failed"),
}


class ImportCrumbsMixin:
    """Mixin of the pages of an import, which begin at the list of datasets."""

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb(_("Datasets"), "datasets")]


class ImportUpload(UploadView):
    check = staticmethod(check_zip)

    @staticmethod
    def advise(file: File) -> list[str]:
        return []


class ImportPage(ImportCrumbsMixin, FormPage):
    """Takes the zip."""

    template_name = "imports/form.html"
    form_class = ImportForm
    lists = LIST_KINDS
    title = gettext_lazy("Import")
    button = gettext_lazy("Check")
    note = gettext_lazy(
        "Register many datasets, functions and data samples at once. The next page shows what is "
        "in the zip, and nothing is registered before you confirm it there."
    )

    def done(self, form: ImportForm, result: Upload) -> HttpResponse:
        return redirect("import-check", result.pk)


class CheckPage(ImportCrumbsMixin, LoginRequiredMixin, Page):
    """Shows what is in a zip, and registers it in steps."""

    template_name = "imports/check.html"
    title = gettext_lazy("Import")
    http_method_names: ClassVar = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return super().dispatch(request, *args, **kwargs)
        if self.upload is None:
            return self._back(_("This zip is imported, or was deleted a day after its upload."))
        with StagedFile(self.upload) as file:
            try:
                self.run = Import(open_zip(file), self.user)
            except (UnsafeArchive, NoLists) as error:
                return self._back(capfirst(str(error)))
            except Refused as refused:
                return self._back(refused.first.sentence)
            return super().dispatch(request, *args, **kwargs)

    def _back(self, message: str) -> HttpResponse:
        messages.error(self.request, message)
        return redirect("import")

    @cached_property
    def upload(self) -> Upload | None:
        """The zip of this user, unless it is gone."""
        return next(iter(uploads_of(self.user, [self.kwargs["pk"]])), None)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(**_summary(self.run.outcomes(dry_run=True)))

    def show(self, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(file=self.upload, **context))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Register the rows from `after` on, for a few seconds."""
        after = request.POST.get("after", "")
        done = int(after) if after.isdecimal() and len(after) < 10 else 0
        until = time.monotonic() + SECONDS_PER_STEP
        for _outcome in self.run.outcomes(start=done):
            done += 1
            if time.monotonic() > until:
                break
        total = len(self.run.rows)
        if done < total:
            return self.show(done=done, total=total)
        summary = _summary(self.run.outcomes(dry_run=True))
        if self.upload and not summary["refused"]:
            discard([self.upload])
        return self.show(**summary)


def _summary(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return how many rows have each state, and some rows, those with problems first."""
    counts: Counter[State] = Counter()
    refused: list[dict[str, Any]] = []
    advised: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for outcome in outcomes:
        counts[outcome.state] += 1
        advice = advice_on(outcome) if outcome.state is State.NEW else []
        rows = advised if advice else refused if outcome.problems else others
        if len(rows) < ROWS_SHOWN:
            rows.append({**_cells(outcome), "advice": advice})
    shown = [*refused, *advised, *others][:ROWS_SHOWN]
    return {
        "total": counts.total(),
        "new": counts[State.NEW],
        "known": counts[State.KNOWN],
        "refused": counts[State.REFUSED],
        "rows": shown,
        "more": counts.total() - len(shown),
    }


def _cells(outcome: Outcome) -> dict[str, Any]:
    kind = outcome.row.kind.asset
    is_known = outcome.state is State.KNOWN
    text, style = STATES[outcome.state]
    return {
        "place": outcome.row.place,
        "kind": capfirst(kind.label),
        "name": outcome.row.name,
        "url": url_of(PAGES[kind].detail, outcome.key) if is_known else "",
        "state": tag(text, style),
        "problems": outcome.problems,
    }

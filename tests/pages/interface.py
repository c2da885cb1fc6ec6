"""The dashboard's pages as an interface: a spec is typed into a form, and messages come out.

People type the same into the pages as into the admin; only the addresses differ, and tasks, which
the pages take as a list in JSON or build one by one.
"""

import json
from collections.abc import Iterator
from functools import singledispatchmethod
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from assets.accounts.models import User
from assets.compute.models import ComputePlan
from assets.compute.specs import ComputePlanSpec
from assets.datasets.models import Dataset
from assets.datasets.specs import DataSampleSpec, DatasetSpec
from assets.functions.models import Function
from assets.functions.specs import FunctionSpec
from tests import builders
from tests.admin.interface import AdminInterface, Data, Page, Shown, shown
from tests.rules.requests import Cancel, Link, Rename, Request, Tasks

RENAMED = {
    Dataset: "dataset-rename",
    Function: "function-rename",
    ComputePlan: "compute-plan-rename",
}
REGISTERED = {
    DataSampleSpec: "data-sample-new",
    FunctionSpec: "function-new",
    ComputePlanSpec: "compute-plan-new",
}


class PagesInterface:
    """Fills in and sends the forms of the pages."""

    def __init__(self, session_of) -> None:
        self.admin = AdminInterface(session_of)
        self.session_of = self.admin.session_of

    def send(self, actor: User, request: Request) -> Page:
        url, data = self.form(request)
        response = self.session_of(actor).post(url, data)
        return Page(response, tuple(errors_of(response)))

    @singledispatchmethod
    def form(self, request: Request) -> tuple[str, Data]:
        """Return where the request is typed, and what is typed."""
        _, data = self.admin.form(request)
        return reverse(REGISTERED[type(request)]), data

    @form.register
    def _(self, spec: DatasetSpec) -> tuple[str, Data]:
        _, data = self.admin.form(spec)
        # Some cases have an opener that does not load: their user confirms that it is meant.
        return reverse("dataset-new"), {**data, "anyway": "on"}

    @form.register
    def _(self, batch: Tasks) -> tuple[str, Data]:
        url = reverse("compute-plan-tasks", args=[batch.specs[0].compute_plan_key])
        body = [builders.wire_task(spec) for spec in batch.specs]
        return url, {"tasks": json.dumps(body)}

    @form.register
    def _(self, request: Rename) -> tuple[str, Data]:
        url = reverse(RENAMED[type(request.asset)], args=[request.asset.pk])
        return url, {"name": request.name}

    @form.register
    def _(self, request: Link) -> tuple[str, Data]:
        return reverse("data-sample-link"), {
            "datasets": [str(key) for key in request.dataset_keys],
            "data_samples": [str(key) for key in request.sample_keys],
        }

    @form.register
    def _(self, request: Cancel) -> tuple[str, Data]:
        return reverse("compute-plan-cancel", args=[request.plan_key]), {}


def errors_of(response: HttpResponse) -> Iterator[Shown]:
    """Return the errors of the page's form and of its rows."""
    form: Any = response.context.get("form") if response.context else None
    if form is None or not hasattr(form, "formsets"):
        return
    yield from shown(form, form.formsets.values())
    # Of tasks the page lists every problem, with its path.
    for problem in getattr(form, "task_problems", ()):
        yield Shown(problem.field, problem.code.label, problem.sentence)

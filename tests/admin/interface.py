"""What people type into the admin, and the errors that its pages show."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, singledispatchmethod
from html import unescape
from typing import Any

from django.core.files.base import ContentFile, File
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from assets.accounts.models import User
from assets.compute.specs import ComputePlanSpec, TaskSpec
from assets.datasets.specs import DataSampleSpec, DatasetSpec
from assets.functions.specs import FunctionSpec
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.rules.requests import Cancel, Link, Rename, Request, Tasks

Data = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """One error of a page; its place is a field (``inputs-0-kind``), a list, or blank."""

    place: str
    code: str
    message: str


@dataclass(frozen=True)
class Page:
    """What came back of a form: a redirect when it was accepted, else the page with errors."""

    response: HttpResponse
    errors: tuple[Shown, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.response.status_code == 302

    @property
    def text(self) -> str:
        return unescape(self.response.content.decode())


def admin_url(model: str, page: str, *keys: Any) -> str:
    return reverse(f"admin:assets_{model}_{page}", args=keys)


class AdminInterface:
    """Fills in and sends the forms of the admin."""

    def __init__(self, session_of: Callable[[User], Client]) -> None:
        # One session per user: signing in writes to the user's row, sending a form does not.
        self.session_of = cache(session_of)

    def send(self, actor: User, request: Request) -> Page:
        url, data = self.form(request)
        return self.post(actor, url, data)

    def post(self, actor: User, url: str, data: Data) -> Page:
        response = self.session_of(actor).post(url, data)
        return Page(response, tuple(errors_of(response)))

    @singledispatchmethod
    def form(self, request: Request) -> tuple[str, Data]:
        """Return where the request is typed, and what is typed."""
        raise NotImplementedError(type(request))

    @form.register
    def _(self, spec: DatasetSpec) -> tuple[str, Data]:
        return admin_url("dataset", "add"), {
            "name": spec.name,
            "type": spec.type,
            "metadata": metadata(spec.metadata),
            **permissions("permissions", spec.permissions),
            **permissions("logs_permission", spec.logs_permission),
            **files(data_opener=spec.data_opener, description=spec.description),
        }

    @form.register
    def _(self, spec: DataSampleSpec) -> tuple[str, Data]:
        return admin_url("datasample", "add"), {
            "datasets": [str(key) for key in spec.data_manager_keys],
            "archives": [named(archive) for archive in spec.archives.values()],
            "paths": "\n".join(map(str, spec.paths)),
            "runner_paths": "\n".join(map(str, spec.runner_paths)),
            **flags(multiple=spec.multiple),
        }

    @form.register
    def _(self, spec: FunctionSpec) -> tuple[str, Data]:
        return admin_url("function", "add"), {
            "name": spec.name,
            "metadata": metadata(spec.metadata),
            **permissions("permissions", spec.permissions),
            **files(file=spec.file, description=spec.description),
            **rows("inputs", (slot(item) for item in spec.inputs)),
            **rows("outputs", (slot(item) for item in spec.outputs)),
        }

    @form.register
    def _(self, spec: ComputePlanSpec) -> tuple[str, Data]:
        plan = builders.wire_plan(spec)
        return admin_url("computeplan", "add"), {
            **{name: plan[name] for name in ("key", "name", "tag")},
            "metadata": metadata(spec.metadata),
            "tasks": json.dumps(plan["tasks"]),
        }

    @form.register
    def _(self, batch: Tasks) -> tuple[str, Data]:
        if len(batch.specs) == 1:
            return admin_url("task", "add"), task(batch.specs[0])
        plan_key = batch.specs[0].compute_plan_key
        body = [builders.wire_task(spec) for spec in batch.specs]
        return admin_url("computeplan", "tasks", plan_key), {"tasks": json.dumps(body)}

    @form.register
    def _(self, request: Rename) -> tuple[str, Data]:
        model = request.asset._meta.model_name
        return admin_url(model, "rename", request.asset.pk), {"name": request.name}

    @form.register
    def _(self, request: Link) -> tuple[str, Data]:
        (sample_key,) = request.sample_keys
        datasets = [str(key) for key in request.dataset_keys]
        return admin_url("datasample", "link", sample_key), {"datasets": datasets}

    @form.register
    def _(self, request: Cancel) -> tuple[str, Data]:
        return admin_url("computeplan", "cancel", request.plan_key), {}


# --- What is typed -------------------------------------------------------------------------------


def metadata(value: Any) -> str:
    return json.dumps(value) if value else ""


def flags(**values: bool) -> Data:
    """Check boxes that are not ticked are not sent."""
    return {name: "on" for name, value in values.items() if value}


def permissions(name: str, value: PermissionsSpec) -> Data:
    ids = {f"{name}-authorized_ids": list(value.authorized_ids)}
    return {**ids, **flags(**{f"{name}-public": value.public})}


def named(file: File) -> ContentFile:
    """Return the file as a browser sends it: its content from the start, under some name."""
    file.seek(0)
    return ContentFile(file.read(), name=file.name or "file")


def files(**uploads: File | None) -> Data:
    return {name: named(file) for name, file in uploads.items() if file is not None}


def rows(prefix: str, items: Iterable[Mapping[str, Any]]) -> Data:
    items = list(items)
    data: Data = {f"{prefix}-TOTAL_FORMS": len(items), f"{prefix}-INITIAL_FORMS": 0}
    for index, item in enumerate(items):
        data |= {f"{prefix}-{index}-{name}": value for name, value in item.items()}
    return data


def slot(item: Any) -> Data:
    """One input or output of a function."""
    ticks = flags(multiple=item.multiple, optional=getattr(item, "optional", False))
    return {"identifier": item.identifier, "kind": item.kind, **ticks}


def task(spec: TaskSpec) -> Data:
    inputs = [
        {name: "" if value is None else str(value) for name, value in ref._asdict().items()}
        for ref in spec.refs
    ]
    outputs = [
        {
            "identifier": identifier,
            **permissions("permissions", output.permissions),
            **flags(transient=output.transient),
        }
        for identifier, output in spec.outputs.items()
    ]
    return {
        "key": str(spec.key),
        "function": str(spec.function_key),
        "compute_plan": str(spec.compute_plan_key or ""),
        "worker": spec.worker,
        "tag": spec.tag,
        "metadata": metadata(spec.metadata),
        **rows("inputs", inputs),
        **rows("outputs", outputs),
    }


# --- What is shown -------------------------------------------------------------------------------


def errors_of(response: HttpResponse) -> Iterator[Shown]:
    """Return the errors of the page's form and of its rows."""
    form: Any = response.context.get("form") if response.context else None
    if form is not None:
        yield from shown(form, getattr(form, "formsets", {}).values())


def shown(form: Any, formsets: Iterable[Any]) -> Iterator[Shown]:
    """Return the errors of a form and of the lists of rows below it."""
    yield from _shown(form, "")
    for formset in formsets:
        for error in formset.non_form_errors().as_data():
            yield Shown(formset.prefix, error.code or "", " ".join(error.messages))
        for row in formset.forms:
            yield from _shown(row, f"{row.prefix}-")


def _shown(form: Any, prefix: str) -> Iterator[Shown]:
    for name, errors in form.errors.as_data().items():
        place = prefix.rstrip("-") if name == "__all__" else f"{prefix}{name}"
        for error in errors:
            yield Shown(place, error.code or "", " ".join(error.messages))

"""Every way that a file can take into the server, each as a function of its bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from assets.datasets.specs import DataSampleSpec
from tests import builders
from tests.admin.interface import AdminInterface, errors_of as admin_errors
from tests.pages.interface import PagesInterface, errors_of as page_errors
from tests.rules.interfaces import ApiInterface


@dataclass(frozen=True)
class Answer:
    """What somebody is shown: the status, and of each fault which field and in which words."""

    status: int
    faults: list[tuple[str, str]]
    response: HttpResponse

    @property
    def accepted(self) -> bool:
        return self.status in (200, 201, 302) and not self.faults


class Interfaces:
    """The interfaces as alice meets them."""

    def __init__(self, alice: Any, client_of: Any, session_of: Any) -> None:
        self.alice = alice
        self.client = client_of(alice)
        self.browser = session_of(alice)
        self.api = ApiInterface(client_of)
        self.pages, self.admin = PagesInterface(session_of), AdminInterface(session_of)
        self.dataset = builders.make_dataset(alice)

    def spec(self, kind: str, **files: bytes) -> Any:
        """A spec that is legal but for the files; `names` of them are made up."""
        named = {name: builders.upload(data, f"{name}.bin") for name, data in files.items()}
        if kind == "sample":
            return DataSampleSpec([self.dataset.key], named)
        make = {"function": builders.function_spec, "dataset": builders.dataset_spec}[kind]
        return make(**named)

    def each(self, kind: str, field: str, data: bytes) -> Iterator[tuple[str, Answer]]:
        """Send a file in through every interface that takes it, all else being legal."""
        yield "API", self._by_api(self.spec(kind, **{field: data}))
        for name, interface, errors in (
            ("page", self.pages, page_errors),
            ("admin", self.admin, admin_errors),
        ):
            url, sent = interface.form(self.spec(kind, **{field: data}))
            response = self.browser.post(url, sent)
            faults = [(fault.place, fault.message) for fault in errors(response)]
            yield name, Answer(response.status_code, faults, response)
        yield "ahead", self.ahead(kind, field, data)

    def _by_api(self, spec: Any) -> Answer:
        response = self.api.post(spec, self.client)
        body = response.json()
        problems = body.get("problems", []) if isinstance(body, dict) else []
        faults = [(problem["field"], problem["message"]) for problem in problems]
        return Answer(response.status_code, faults, response)

    def ahead(self, kind: str, field: str, data: bytes) -> Answer:
        """Send a file ahead of its form."""
        urls = {"sample": "data-sample", "file": "function", "data_opener": "opener"}
        url = f"/uploads/{urls.get(kind) or urls.get(field, field)}/"
        file = SimpleUploadedFile(f"{field}.bin", data)
        response = self.browser.post(url, {"file": file, "field": FIELDS.get(kind, field)})
        faults = [
            (FIELDS.get(kind, field), problem.sentence) for problem in response.context["problems"]
        ]
        return Answer(response.status_code, faults, response)


# How the form of a kind calls the field of its archives.
FIELDS = {"sample": "archives"}

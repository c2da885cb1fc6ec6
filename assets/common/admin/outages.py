"""The admin's forms when the database or the storage fails: shown again as they were filled in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ..ops.outages import OUTAGES, outage_of


def unless_outage(form: Any, request: HttpRequest) -> Any:
    """Return the class of a form, which is not valid where this request has met an outage."""
    outage: Any = getattr(request, "outage", None)
    if outage is None:
        return form

    class Failing(form):
        def full_clean(self) -> None:
            super().full_clean()
            self.add_error(None, outage.text)

    return Failing


class OutageAdmin(admin.ModelAdmin):
    """Answers an outage by the page itself; forms are made through `unless_outage`."""

    def _changeform_view(self, request: HttpRequest, *args: Any) -> Any:
        view: Any = super()._changeform_view  # type: ignore[misc]
        try:
            return view(request, *args)
        except OUTAGES as error:
            if (outage := outage_of(error)) is None:
                raise
            request.outage = outage  # type: ignore[attr-defined]
            answer = view(request, *args)
            answer.status_code = outage.status
            return answer

"""Turns an uploaded file, or a whole plan pasted as tasks, into values of the form's fields."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ...common.forms.fields import MetadataFormField, read_json
from ...common.text.reading import decoded
from .draft import Draft
from .packing import unpacked


def merge_uploaded_plan(
    request: HttpRequest, fields: tuple[str, ...] = ()
) -> tuple[QueryDict, str]:
    """Return the form's data, and a notice about the file or the plan that came with it.

    The text of an uploaded file replaces the tasks. The tasks of a whole plan stay, and its other
    values fill those of `fields` that are blank. A plan that cannot be read stays unchanged: the
    form reports what is wrong.
    """
    data = request.POST.copy()
    if draft := data.pop("packed", []):
        data["tasks"] = unpacked(str(draft[-1]))
    notices = []
    if upload := request.FILES.get("upload"):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        text = decoded(upload.read()) if (upload.size or 0) <= limit else None
        if text is None:
            message = _(
                "%(file)s cannot be read. Choose a file with JSON as UTF-8 text, of at most "
                "%(limit)s. If your plan is larger, register some tasks first and add the others "
                "on the plan's page."
            )
            return data, message % {"file": upload.name, "limit": filesizeformat(limit)}
        data["tasks"] = text
        notices.append(_("Read %(file)s.") % {"file": upload.name})
    try:
        body = read_json(data.get("tasks", "").strip() or "[]")
    except ValidationError:
        return data, " ".join(notices)
    if fields and isinstance(body, Mapping) and _is_plan(body):
        taken = [name for name in fields if body.get(name) and not data.get(name, "").strip()]
        for name in taken:
            data[name] = MetadataFormField().prepare_value(body[name])
        data["tasks"] = Draft(body.get("tasks") or ()).text(indent=True)
        if taken:
            notices.append(_("Taken from the plan: %(fields)s.") % {"fields": ", ".join(taken)})
    return data, " ".join(notices)


def _is_plan(body: Mapping[str, Any]) -> bool:
    texts = all(isinstance(body.get(name) or "", str) for name in ("name", "tag", "key"))
    metadata = isinstance(body.get("metadata") or {}, Mapping)
    return texts and metadata and isinstance(body.get("tasks") or [], list)

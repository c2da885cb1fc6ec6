"""What arrives with the page's form: a file or a whole plan becomes what fields hold."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.template.defaultfilters import filesizeformat

from ...common.forms.fields import MetadataFormField, read_json
from ...common.text.reading import decoded
from .draft import Draft

# What a whole plan brings beside its tasks.
_OF_PLAN = ("name", "tag", "key")


def absorb(request: HttpRequest, fields: tuple[str, ...] = ()) -> tuple[QueryDict, str]:
    """Return the form's data, and what to say of the file or the plan that came with it.

    The text of an uploaded file takes the place of the tasks. Of a whole plan, the tasks stay
    tasks and the rest fills those of `fields` that are blank; a plan that cannot be read so is
    left as it is, for the form to say what is wrong.
    """
    data = request.POST.copy()
    said = ""
    if upload := request.FILES.get("upload"):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        text = decoded(upload.read()) if (upload.size or 0) <= limit else None
        if text is None:
            return data, (
                f"{upload.name} cannot be read: choose a file with JSON as UTF-8 text, of at most "
                f"{filesizeformat(limit)}. Of a larger plan, register some tasks first and add the "
                "others on its page."
            )
        data["tasks"] = text
        said = f"{upload.name} was read."
    try:
        body = read_json(data.get("tasks", "").strip() or "[]")
    except ValidationError:
        return data, said
    if fields and isinstance(body, Mapping) and _is_plan(body):
        taken = [name for name in fields if body.get(name) and not data.get(name, "").strip()]
        for name in taken:
            data[name] = MetadataFormField().prepare_value(body[name])
        data["tasks"] = Draft(body.get("tasks") or ()).text(spread=True)
        if taken:
            said += f" Taken from the plan: {', '.join(taken)}."
    return data, said.strip()


def _is_plan(body: Mapping[str, Any]) -> bool:
    texts = all(isinstance(body.get(name) or "", str) for name in _OF_PLAN)
    metadata = isinstance(body.get("metadata") or {}, Mapping)
    return texts and metadata and isinstance(body.get("tasks") or [], list)

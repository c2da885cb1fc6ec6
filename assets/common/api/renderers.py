"""JSON by orjson, the browsable pages, and a negotiation that never refuses."""

from typing import Any

import orjson
from django.template.loader import get_template
from django.utils.functional import Promise
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, HTMLFormRenderer
from rest_framework.utils.field_mapping import ClassLookupDict


def _default(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be rendered as JSON")


class ORJSONRenderer(BaseRenderer):
    """JSON in UTF-8; dates in UTC with a Z."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        if data is None:
            return b""
        options = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
        if (renderer_context or {}).get("indent"):
            options |= orjson.OPT_INDENT_2
        return orjson.dumps(data, default=_default, option=options)


class FieldsRenderer(HTMLFormRenderer):
    """The fields of a browsable page's form, all drawn by one template of ours."""

    template_pack = "rest_framework"
    default_style = ClassLookupDict(
        {
            kind: {**style, "template": "rest_framework/field.html"}
            for kind, style in HTMLFormRenderer.default_style.mapping.items()
        }
    )

    def render(self, data, accepted_media_type=None, renderer_context=None) -> str:
        return super().render(data, accepted_media_type)


class BrowsableRenderer(BrowsableAPIRenderer):
    """The browsable API, for people who signed in with the browser."""

    form_renderer_class = FieldsRenderer


class FileRenderer(BrowsableRenderer):
    """A page that says why someone who follows a link to a file does not get it."""

    def render(self, data, accepted_media_type=None, renderer_context=None) -> Any:
        context = renderer_context or {}
        status = context["response"].status_code
        if status < 400:  # such as to OPTIONS
            return super().render(data, accepted_media_type, renderer_context)
        error = getattr(context["view"], "refusal", None)
        why = getattr(error, "why", "") or (data or {}).get("detail", "")
        template = get_template("file.html")
        return template.render({"status": status, "why": why}, request=context["request"])


# Of the addresses of files.
FILE_RENDERERS = [ORJSONRenderer, FileRenderer]


class LenientNegotiation(DefaultContentNegotiation):
    """Answers JSON to whoever accepts nothing that we have, and never 406.

    The SDK sends ``application/json;version=0.0`` also where it downloads a file.
    """

    def select_renderer(self, request, renderers, format_suffix=None):
        # Programs, unlike browsers, accept no text but JSON; most requests need no more weighing.
        accepted = request.META.get("HTTP_ACCEPT", "")
        names = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.query_params
        if renderers[0].format == "json" and "text/" not in accepted and not names:
            return renderers[0], renderers[0].media_type
        try:
            renderer, media_type = super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            renderer, media_type = renderers[0], renderers[0].media_type
        if renderer.format == "json":
            media_type = renderer.media_type
        return renderer, media_type

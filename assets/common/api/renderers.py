"""Renderers for JSON and the browsable API, and a content negotiation that never answers 406."""

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
    """Renders all form fields of the browsable API with one template."""

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
    """The browsable API, for users who are signed in with a browser."""

    form_renderer_class = FieldsRenderer


class FileRenderer(BrowsableRenderer):
    """Renders a page with the reason why a file cannot be downloaded."""

    def render(self, data, accepted_media_type=None, renderer_context=None) -> Any:
        context = renderer_context or {}
        status = context["response"].status_code
        if status < 400:  # such as for OPTIONS
            return super().render(data, accepted_media_type, renderer_context)
        error = getattr(context["view"], "refusal", None)
        why = getattr(error, "why", "") or (data or {}).get("detail", "")
        template = get_template("file.html")
        return template.render({"status": status, "why": why}, request=context["request"])


# For views that send files.
FILE_RENDERERS = [ORJSONRenderer, FileRenderer]


class LenientNegotiation(DefaultContentNegotiation):
    """Responds with JSON if the client accepts no other format, instead of 406.

    The SDK accepts only ``application/json;version=0.0``, also when it downloads a file.
    """

    def select_renderer(self, request, renderers, format_suffix=None):
        # Only browsers accept text: a shortcut for programs, which send most requests.
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

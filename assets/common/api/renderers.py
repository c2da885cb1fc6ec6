"""Renderers for JSON and the browsable API, and a content negotiation that never answers 406."""

from itertools import chain, zip_longest
from typing import Any

import orjson
from django.template.loader import get_template
from django.utils.functional import Promise
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, HTMLFormRenderer
from rest_framework.utils.field_mapping import ClassLookupDict

# Larger answers stay in pieces: joining them would need their size again.
LARGE_ANSWER = 1024**2
# Stands for JSON that is written already. It occurs nowhere else: in a text it is escaped.
CUT = b"\0"


class ORJSONRenderer(BaseRenderer):
    """JSON in UTF-8; dates in UTC with a Z; bytes are JSON that is written already.

    A large answer refers to these bytes instead of copying them, so that what its objects share is
    in memory once.
    """

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        if data is None:
            return b""
        context = renderer_context or {}
        indented = bool(context.get("indent"))
        written: list[bytes] = []

        def default(value: Any) -> Any:
            if isinstance(value, Promise):
                return str(value)
            if not isinstance(value, bytes):
                raise TypeError(f"{type(value).__name__} cannot be rendered as JSON")
            if indented:
                return orjson.loads(value)
            written.append(value)
            return orjson.Fragment(CUT)

        options = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
        if indented:
            options |= orjson.OPT_INDENT_2
        text = orjson.dumps(data, default=default, option=options)
        if not written:
            return text
        pieces = list(chain(*zip_longest(text.split(CUT), written, fillvalue=b"")))
        size = sum(map(len, pieces))
        if size <= LARGE_ANSWER or "response" not in context:
            return b"".join(pieces)
        response = context["response"]
        response.headers["Content-Length"] = str(size)
        response.add_post_render_callback(lambda rendered: rendered.writelines(pieces[1:]))
        return pieces[0]


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

    def select_parser(self, request, parsers):
        # Ours have plain media types; DRF's own way parses two for each parser.
        media_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        # Only browsers accept text: a shortcut for programs, which send most requests.
        accepted = request.META.get("HTTP_ACCEPT", "")
        names = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.META["QUERY_STRING"]
        if renderers[0].format == "json" and "text/" not in accepted and not names:
            return renderers[0], renderers[0].media_type
        try:
            renderer, media_type = super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            renderer, media_type = renderers[0], renderers[0].media_type
        if renderer.format == "json":
            media_type = renderer.media_type
        return renderer, media_type

"""Middleware of Django and django-csp, but for a habit or two of theirs."""

from gzip import GzipFile
from io import BytesIO
from secrets import randbelow, token_hex

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What is smaller is not worth compressing.
SMALL = 200
# What no page asks a browser for, so that no page can be made to.
UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "usb",
)


class CommonMiddlewareWithoutLoss(CommonMiddleware):
    """Adds a missing slash for those who read, and never for those who send.

    Clients follow a redirected POST or PUT with a GET, which loses what they sent and answers
    with something else; a 404 tells them.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        # A client names the encoding of what it sends: Python knows some that no text has.
        try:
            b"text".decode(request.encoding or "utf-8", "replace")
        except (LookupError, UnicodeError) as error:
            raise BadRequest(f'What is sent in "{request.encoding}" is no text.') from error
        return super().process_request(request)

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in SAFE_METHODS and super().should_redirect_with_slash(request)


class GZipPages(GZipMiddleware):
    """Compresses pages. Downloads leave as they are: byte for byte, with their length.

    Fast rather than small: Django's own level takes twice as long and spares a tenth.
    """

    level = 3

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        is_packed = response.has_header("Content-Encoding")
        if not is_page or is_packed or not isinstance(response, HttpResponse):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        accepted = request.headers.get("Accept-Encoding", "")
        if "gzip" in accepted and len(response.content) >= SMALL:
            packed = BytesIO()
            # Its length tells nothing of a secret beside what one typed: the name's is by chance.
            name = token_hex(randbelow(self.max_random_bytes // 2))
            with GzipFile(name, "wb", self.level, packed, mtime=0) as file:
                file.write(response.content)
            response.content = packed.getvalue()
            response["Content-Length"] = len(response.content)
            response["Content-Encoding"] = "gzip"
        return response


class Policies(CSPMiddleware):
    """What browsers may do with an answer: the policy of the settings, and a few that never change.

    What says nothing about it was written for one person, so nobody keeps it.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # Django's own pages about errors, which developers see, are styled inline.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response[HEADER] = self._content_security_policy
        for name, value in self._others.items():
            response.headers.setdefault(name, value)
        return response

    @cached_property
    def _content_security_policy(self) -> str:
        return build_policy()

    @cached_property
    def _others(self) -> dict[str, str]:
        others = {
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
            "Cache-Control": "private, no-store",
        }
        if settings.VIOLATIONS_TO:
            others["Reporting-Endpoints"] = f'csp="{settings.VIOLATIONS_TO}"'
        return others

"""Subclasses of the middleware of Django and django-csp."""

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from django.utils.functional import cached_property

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Features of browsers that no page uses, so that an injected script cannot use them either.
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


class SafeCommonMiddleware(CommonMiddleware):
    """Redirects to the URL with a slash for safe methods only; POST and PUT get a 404.

    Clients follow a redirected POST with a GET, which drops the body and answers something else.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        # Python has codecs that decode no text, and a client can name any of them.
        try:
            b"text".decode(request.encoding or "utf-8", "replace")
        except (LookupError, UnicodeError) as error:
            raise BadRequest(
                f'The charset "{request.encoding}" cannot be decoded. Send UTF-8.'
            ) from error
        return super().process_request(request)

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in SAFE_METHODS and super().should_redirect_with_slash(request)


class GZipPages(GZipMiddleware):
    """Compresses HTML only: downloads and the API's answers keep their bytes and their length."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        return super().process_response(request, response) if is_page else response


class SecurityHeaders(CSPMiddleware):
    """Adds the content security policy, and headers that are the same for every response.

    A response without `Cache-Control` is for one user, so no cache may store it.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # Django's error pages for developers have inline styles.
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

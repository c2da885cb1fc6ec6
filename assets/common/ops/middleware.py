"""Headers of every answer, and subclasses of Django's middleware."""

from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware

API, SIGN_IN_PAGES = "/api/", "/api/session/"
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


class SecurityHeaders:
    """Adds the content security policy, and headers that are the same for every response.

    A response without `Cache-Control` is for one user, so no cache may store it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._policy = build_policy()
        self._others = {
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
            "Cache-Control": "private, no-store",
        }
        if settings.VIOLATIONS_TO:
            self._others["Reporting-Endpoints"] = f'csp="{settings.VIOLATIONS_TO}"'

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Django's error pages for developers have inline styles.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response[HEADER] = self._policy
        for name, value in self._others.items():
            response.headers.setdefault(name, value)
        return response


class _ForBrowsers:
    """Mixin of middleware that does nothing for a program.

    A program sends a token and no cookie to the API, so it has no session.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        sent = request.META
        is_program = "HTTP_AUTHORIZATION" in sent and not sent.get("HTTP_COOKIE")
        path = request.path_info
        if is_program and path.startswith(API) and not path.startswith(SIGN_IN_PAGES):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class Sessions(_ForBrowsers, SessionMiddleware):
    """Django's sessions."""


class SessionUsers(_ForBrowsers, AuthenticationMiddleware):
    """The users of Django's sessions; the API's authentication sets the user of a token."""


class Messages(_ForBrowsers, MessageMiddleware):
    """Django's messages."""

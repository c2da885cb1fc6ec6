"""Middleware of Django and django-csp, but for a habit or two of theirs."""

from csp.constants import HEADER, SELF, UNSAFE_INLINE
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
    """Compresses pages. Downloads leave as they are: byte for byte, with their length."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html") and not response.streaming:
            return super().process_response(request, response)
        return response


class ContentSecurityPolicy(CSPMiddleware):
    """The policy of the settings, written once, and a softer one for pages that others wrote.

    The browsable API and the documentation's viewers style their elements inline, and a viewer
    searches in a worker of its own. Their scripts are held as strictly as ours.
    """

    others = {"style-src": [SELF, UNSAFE_INLINE], "worker-src": [SELF, "blob:"]}

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # Django's own pages about errors, which developers see, are styled inline.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response[HEADER] = self._of_api if request.path.startswith("/api/") else self._of_pages
        return response

    @cached_property
    def _of_pages(self) -> str:
        return build_policy()

    @cached_property
    def _of_api(self) -> str:
        return build_policy(replace=self.others)

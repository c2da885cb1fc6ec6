"""Django's own middleware, but for a habit or two of it."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class CommonMiddlewareWithoutLoss(CommonMiddleware):
    """Adds a missing slash for those who read, and never for those who send.

    Clients follow a redirected POST or PUT with a GET, which loses what they sent and answers
    with something else; a 404 tells them.
    """

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

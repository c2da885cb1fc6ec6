"""Django's own middleware, but for one habit of it."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class CommonMiddlewareWithoutLoss(CommonMiddleware):
    """Adds a missing slash for those who read, and never for those who send.

    Clients follow a redirected POST or PUT with a GET, which loses what they sent and answers
    with something else; a 404 tells them.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in SAFE_METHODS and super().should_redirect_with_slash(request)

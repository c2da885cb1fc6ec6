"""The language of an answer: the user's choice, else the browser's; the API always has English.

A user's choice is stored with the account, and in a cookie so that it also holds for pages that
know no user yet, such as the sign-in page.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

# Programs read these, and compare what they read.
ENGLISH_ONLY = ("/api/", "/livez", "/readyz")


class LanguageMiddleware(LocaleMiddleware):
    """Activates the language of each request before anything answers it."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(ENGLISH_ONLY):
            translation.activate(settings.LANGUAGE_CODE)
        else:
            translation.activate(translation.get_language_from_request(request))

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict[str, Any]
    ) -> None:
        if request.path_info.startswith(ENGLISH_ONLY):
            return
        # The session is looked up only where there is a cookie of one.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            chosen = getattr(request.user, "preferences", {}).get("language", "")
            if chosen in dict(settings.LANGUAGES):
                translation.activate(chosen)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path_info.startswith(ENGLISH_ONLY):
            return response
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


def remember_language(response: HttpResponse, language: str) -> None:
    """Store `language` in the cookie of `response`; an empty one removes the cookie."""
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")

"""The language of an answer: the user's choice, else the browser's; the API always has English.

A user's choice is stored with the account, and in a cookie so that it also holds for pages that
know no user yet, such as the sign-in page.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import trans_real

# Programs read these, and compare what they read.
ENGLISH_ONLY = ("/api/", "/livez", "/readyz")
# Of each language; more than there are messages.
MAX_REMEMBERED_TEXTS = 5_000


class LanguageMiddleware:
    """Activates the language of each request before anything answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(ENGLISH_ONLY):
            translation.activate(settings.LANGUAGE_CODE)
            return self.get_response(request)
        _activate(translation.get_language_from_request(request))
        response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict[str, Any]
    ) -> None:
        # The session is looked up only where there is a cookie of one.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        if not request.path_info.startswith(ENGLISH_ONLY):
            chosen = getattr(request.user, "preferences", {}).get("language", "")
            if chosen in dict(settings.LANGUAGES):
                _activate(chosen)


def _activate(language: str) -> None:
    """Activate a language whose texts are looked up once and then remembered.

    Django looks each text up in the catalogues of all apps every time, which takes 4 µs; a page
    has hundreds of texts.
    """
    translation.activate(language)
    found: Any = trans_real.catalog()
    if not hasattr(found.gettext, "cache_info"):
        found.gettext = lru_cache(MAX_REMEMBERED_TEXTS)(found.gettext)


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

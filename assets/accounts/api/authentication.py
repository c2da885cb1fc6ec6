"""Authenticates API requests by the header `Authorization: Token <40 hex>`."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission

from ...common.audit import Agent
from ...common.ops.body_limits import largest_body
from ...common.ops.outages import OUTAGES
from ..models import ApiToken, Runner, User
from ..queries import runner_of, token_of
from ..registration.tokens import token_digest
from ..rules import acts_for_one


class TokenAuthentication(BaseAuthentication):
    """Authenticates the user of a token in one query. Messages: contract 1.2."""

    keyword = "Token"

    def authenticate(self, request) -> tuple[Any, Any] | None:
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not words or words[0].lower() != self.keyword.lower():
            return None
        if len(words) != 2:
            problem = (
                "No credentials provided" if len(words) == 1 else "It should not contain spaces"
            )
            raise AuthenticationFailed(f"Invalid token header. {problem}.")
        return self._who_has(words[1])

    def _who_has(self, secret: str) -> tuple[Any, Any]:
        """Return who acts, and the row of the token. Raises: AuthenticationFailed if no one."""
        return self._user_of(secret)

    def _user_of(self, secret: str) -> tuple[User, ApiToken]:
        token = token_of(token_digest(secret))
        if token is None or not token.user.is_active:
            raise AuthenticationFailed("Invalid token.")
        if token.expires_at <= timezone.now():
            raise AuthenticationFailed("The token is expired")
        return token.user, token

    def authenticate_header(self, request) -> str:
        return self.keyword


class RunnerAuthentication(TokenAuthentication):
    """Authenticates a runner, which acts as an agent of its organisation, in one query."""

    def _who_has(self, secret: str) -> tuple[Agent, Runner]:
        runner = runner_of(token_digest(secret))
        if runner is None:
            raise AuthenticationFailed(
                "No runner has this token. Give the token of a runner that is not revoked."
            )
        return runner.agent, runner


class AnyTokenAuthentication(TokenAuthentication):
    """Authenticates the user of a token, or a runner, which takes one query more."""

    def _who_has(self, secret: str) -> tuple[Any, Any]:
        try:
            return self._user_of(secret)
        except AuthenticationFailed:
            if runner := runner_of(token_digest(secret)):
                return runner.agent, runner
            raise


# Of addresses that send what runners need: they also take a runner's token.
AUTHENTICATE_RUNNERS_TOO = [AnyTokenAuthentication, SessionAuthentication]


class TokenScheme(OpenApiAuthenticationExtension):
    """Documents the header; the schema finds this class by its `target_class`."""

    target_class: Any = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema) -> dict[str, str]:
        return build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix=TokenAuthentication.keyword
        )


class RunnerScheme(TokenScheme):
    """Documents the header with a runner's token."""

    target_class = RunnerAuthentication
    name = "runner"


class AnyTokenScheme(TokenScheme):
    """Documents the header with the token of a user or a runner."""

    target_class = AnyTokenAuthentication
    name = "token-or-runner"


class BelongsToOrganization(BasePermission):
    """Allows active users who act for an organisation."""

    def has_permission(self, request, view) -> bool:
        return acts_for_one(request.user)


def admitted(environ: dict[str, Any]) -> int:
    """Return how many bytes the body of a request may have; 0 if it is not authenticated.

    The server asks before it receives a large body. The view then authenticates the request again
    and returns the error.
    """
    request = WSGIRequest(environ)
    close_old_connections()
    try:
        if not _is_signed_in(request):
            return 0
        with suppress(Resolver404):
            request.resolver_match = resolve(request.path_info)
        return largest_body(request)
    except (APIException, *OUTAGES):
        return 0
    finally:
        close_old_connections()


def _is_signed_in(request: WSGIRequest) -> bool:
    if AnyTokenAuthentication().authenticate(request):
        return True
    for middleware in (SessionMiddleware, AuthenticationMiddleware):
        middleware(_no_response).process_request(request)
    return request.user.is_authenticated


def _no_response(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError

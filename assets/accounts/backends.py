"""The one door behind all doors that take a password: pages, the admin and the API."""

from ipaddress import ip_network
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from ..common.audit import client_address
from ..common.errors import TooManyAttempts
from .models import User
from .queries import find_user
from .registration.failed_sign_ins import check_may_attempt, clear_failures, count_failure

BACKEND = "assets.accounts.backends.PasswordBackend"


class PasswordBackend(ModelBackend):
    """Signs in by a password, unless too many attempts failed.

    Raises TooManyAttempts, which the doors answer. Whoever has a second factor is not forgiven its
    failures before the code was right: else a known password would allow any number of codes.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        meant = find_user(username)
        # A name that no user has takes as long.
        name = meant.username if meant else username
        if request is None:  # a program on this machine
            return super().authenticate(request, name, password, **kwargs)
        address = address_of(request)
        try:
            check_may_attempt(username, address)
            user: Any = super().authenticate(request, name, password, **kwargs)
            if user is None:
                count_failure(username, address)
            else:
                # Others may have failed in the meantime.
                check_may_attempt(username, address)
        except TooManyAttempts:
            credentials = {"username": username}
            user_login_failed.send(__name__, credentials=credentials, request=request)
            raise
        if user is not None and user.second_factor_at is None:
            clear_failures(username, address)
        return user


def address_of(request: HttpRequest) -> str:
    """Return the address whose failures are counted together.

    Whoever has one IPv6 address has the 2^64 of its network.
    """
    address = client_address(request) or "unknown"
    if ":" not in address:
        return address
    network = ip_network(f"{address.partition('%')[0]}/64", strict=False)
    return str(network)

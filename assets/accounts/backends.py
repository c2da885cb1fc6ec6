"""The authentication backend of everything that takes a password: pages, the admin and the API."""

from ipaddress import ip_network
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from ..common.audit import client_address
from .models import User
from .queries import find_user, user_with_id
from .registration.failed_sign_ins import check_may_attempt, clear_failures, count_failure

BACKEND = "assets.accounts.backends.PasswordBackend"


class PasswordBackend(ModelBackend):
    """Signs in by a password, unless too many attempts failed.

    Failures of a user with a second factor are cleared by a right code only: otherwise a known
    password would allow any number of codes.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the user, or None if the name or the password is wrong.

        Raises:
            TooManyAttempts: the name from this address, or the address, must wait.
        """
        if username is None or password is None:
            return None
        found = find_user(username)
        # ModelBackend takes as long for a name that no user has.
        name = found.username if found else username
        if request is None:  # a program on this machine
            return super().authenticate(request, name, password, **kwargs)
        address = address_of(request)
        check_may_attempt(username, address)
        user: Any = super().authenticate(request, name, password, **kwargs)
        if user is None:
            count_failure(username, address)
            return None
        # Other attempts may have failed meanwhile.
        check_may_attempt(username, address)
        if user.second_factor_at is None:
            clear_failures(username, address)
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session; None if the user has been deactivated or removed."""
        user = user_with_id(user_id)
        return user if user and self.user_can_authenticate(user) else None


def address_of(request: HttpRequest) -> str:
    """Return the address whose failures count together: for IPv6 the /64 network of a client."""
    address = client_address(request) or "unknown"
    if ":" not in address:
        return address
    network = ip_network(f"{address.partition('%')[0]}/64", strict=False)
    return str(network)

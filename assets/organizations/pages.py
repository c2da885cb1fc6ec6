"""Pages for those who are signed in."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin


class SignedIn(LoginRequiredMixin):
    """Sends whoever is not signed in to the page that does it, and back afterwards."""

    @property
    def user(self) -> Any:
        """Who asks: a User, since nobody else comes this far."""
        return self.request.user

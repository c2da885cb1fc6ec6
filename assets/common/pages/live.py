"""Pages that follow what changes while they are open."""

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

if TYPE_CHECKING:
    _Base = TemplateView
else:
    _Base = object

# The parameter with the state that a browser shows.
STATE = "state"


def state_of(*values: object) -> str:
    """Return a short text that differs when one of the values does."""
    return hashlib.blake2b(repr(values).encode(), digest_size=8).hexdigest()


class LiveMixin(_Base):
    """Mixin of pages that browsers ask for again while what they show may change.

    A browser sends the state that it shows. While that is the current one, the response is empty
    (204); otherwise it is the page without its frame, which `live.js` merges into the open page.
    """

    def find_state(self) -> str:
        """Return what `state_of` makes of all that may change; blank once nothing will."""
        raise NotImplementedError

    @cached_property
    def state(self) -> str:
        return self.find_state()

    @property
    def is_followed(self) -> bool:
        """Whether it is a browser's script that asks."""
        return bool(getattr(self.request, "htmx", False)) and STATE in self.request.GET

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.is_followed:
            # A page that is left open keeps no one signed in.
            request.session.modified = False
            if request.GET[STATE] == self.state:
                return HttpResponse(status=204)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET.copy()
        query.pop(STATE, None)
        here = self.request.path + (f"?{query.urlencode()}" if query else "")
        query[STATE] = self.state
        return super().get_context_data(
            frame="components/bare.html" if self.is_followed else "base.html",
            state=self.state,
            here=here,
            # Not by `hx-vals`: elements inside would send them, too.
            asked=f"{self.request.path}?{query.urlencode()}",
            **kwargs,
        )

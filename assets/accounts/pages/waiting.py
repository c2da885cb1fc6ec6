"""Pages that follow the work of runners, and say what waits for them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from ...common.pages.live import LiveMixin, state_of
from ..queries import runners_seen

# A sentence, and the organisation whose runner it speaks of; blank for none.
Line = tuple[str, str]


class Wait(NamedTuple):
    """A sentence about work, and what is known of the runner that does it."""

    text: str
    # Blank if no runner is needed.
    organization: str
    has_runner: bool
    # None if no runner of the organisation has come yet.
    seen: datetime | None


class WorkMixin(LiveMixin):
    """Mixin of pages that show work which runners do, as long as it lasts."""

    def work(self) -> object:
        """Return what the page shows of the work; None once it has ended."""
        raise NotImplementedError

    def lines(self) -> Iterable[Line]:
        """Return what the work waits for, and who does it, in sentences."""
        raise NotImplementedError

    def progress(self) -> str:
        """Return in a sentence how far the work is."""
        raise NotImplementedError

    @cached_property
    def runners(self) -> Mapping[str, datetime | None]:
        """When runners of each organisation were last seen; one query."""
        return runners_seen()

    def find_state(self) -> str:
        work = self.work()
        if work is None:
            return ""
        # To the minute: runners come more often.
        seen = {
            id: when and when.replace(second=0, microsecond=0) for id, when in self.runners.items()
        }
        return state_of(work, seen)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = list(self.lines()) if self.state else []
        progress = self.progress()
        return super().get_context_data(
            progress=progress,
            # What is read aloud to those who do not see the page change.
            summary=" ".join([progress, *(text for text, _organization in lines)]),
            waits=[Wait(text, id, id in self.runners, self.runners.get(id)) for text, id in lines],
            **kwargs,
        )

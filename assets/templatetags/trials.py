"""Template tags about dry runs, for pages of rooms below the room that runs things."""

from collections.abc import Sequence

from django import template

from ..execution.models import Trial
from ..execution.queries.trials import trials_of
from ..functions.models import Function

register = template.Library()

# How many the page of a function shows.
SHOWN = 5


@register.simple_tag(takes_context=True)
def dry_runs(context: template.Context, function: Function) -> Sequence[Trial]:
    """Return the last dry runs of a function by the user's organisation; one query."""
    own = context["request"].user.organization_id
    return list(trials_of(own).filter(function=function).defer("logs")[:SHOWN])

"""What must not happen twice happens once, by every interface through which it can be asked."""

import pytest

from assets.common.idempotency.keys import ONCE
from assets.feed.models import Event
from tests.feed.test_coverage import ACTS, ADDRESS, events_about

from .twice import TwiceStage

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# A secret is answered once, and a file is no request to write.
NOT_AGAIN = {"make a token": 409}
ACTS_ONCE = [act for act in ACTS if act.action in ONCE and act.result == "done"]


@pytest.mark.parametrize("act", ACTS_ONCE, ids=lambda act: act.name)
def test_it_is_carried_out_once(act, request):
    stage = TwiceStage(act.who, request)
    act.do(stage)
    events = Event.objects.filter(address=ADDRESS)
    assert len(events_about(act, events)) == act.count, [vars(event) for event in events]
    if not hasattr(stage, "answers"):
        return  # a DELETE, which names what it removes
    first, second = stage.answers
    assert first.status_code in (200, 201, 302)
    if act.name in NOT_AGAIN:
        assert second.status_code == NOT_AGAIN[act.name]
    elif second.headers["Content-Type"] == "application/json":
        assert (second.status_code, second.json()) == (first.status_code, first.json())
    else:
        # The page of what was made, or the list that it is gone from.
        assert second.status_code == 302
        page = stage.browser.get(second["Location"])
        assert page.status_code == 200
        assert "once" in page.content.decode()

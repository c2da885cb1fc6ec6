"""The news feed: plans and datasets, newest first. Contract 2.11."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.compute.registration import cancel_compute_plan
from assets.feed.registration import rename
from assets.functions.models import FunctionStatus
from tests.builders import make_dataset, make_plan

pytestmark = pytest.mark.postgresql

PLAN, DATASET = "ASSET_COMPUTE_PLAN", "ASSET_DATA_MANAGER"


def _news(api, **params):
    return api.get("/api/news_feed/", params).json()["results"]


def _short(items) -> list[tuple[str, str, str]]:
    return [(item["asset_kind"], item["name"], item["status"]) for item in items]


def test_created(world, api):
    dataset = make_dataset(world.alice, name="Scans")
    plan = make_plan(world.alice, name="Study")
    newest, oldest = _news(api)
    assert newest == {
        "asset_kind": PLAN,
        "asset_key": str(plan.key),
        "name": "Study",
        "status": "STATUS_CREATED",
        "timestamp": plan.creation_date.isoformat().replace("+00:00", "Z"),
        "detail": {},
    }
    assert (oldest["asset_key"], oldest["status"]) == (str(dataset.key), "STATUS_CREATED")


def test_only_plans_and_datasets_are_news(world, api):
    assert world.parent
    assert {item["asset_kind"] for item in _news(api)} == {PLAN, DATASET}


def test_started(world, api):
    world.plan_whose_task(FunctionStatus.READY)
    assert _short(_news(api)) == [
        (PLAN, "Study", "STATUS_DOING"),
        (PLAN, "Study", "STATUS_CREATED"),
    ]


def test_failed(world, api):
    plan = world.plan_whose_task(FunctionStatus.FAILED)
    news = _news(api)
    assert [item["status"] for item in news][0] == "STATUS_FAILED"
    assert news[0]["detail"] == {"first_failed_task_key": str(plan.failed_task_key)}
    assert {"STATUS_CREATED", "STATUS_DOING"} <= {item["status"] for item in news}


def test_cancelled(world, api):
    plan = world.plan
    cancel_compute_plan(plan.key, world.alice)
    plan.refresh_from_db()
    newest = _news(api)[0]
    assert (newest["status"], newest["detail"]) == ("STATUS_CANCELED", {})
    assert newest["timestamp"] == plan.end_date.isoformat().replace("+00:00", "Z")


def test_an_end_is_shown_once(world, api):
    cancel_compute_plan(world.plan.key, world.alice)
    assert [item["status"] for item in _news(api)].count("STATUS_CANCELED") == 1


def test_a_rename_is_no_news(world, api):
    rename(world.alice, world.plan, "Renamed")
    assert _short(_news(api)) == [(PLAN, "Study", "STATUS_CREATED")]


@pytest.mark.parametrize(
    ("value", "count"), [("true", 1), ("1", 1), ("On", 1), ("false", 2), ("0", 2), ("", 2)]
)
def test_important_news(value, count, world, api):
    cancel_compute_plan(world.plan.key, world.alice)
    news = _news(api, important_news_only=value)
    assert len(news) == count
    assert news[0]["status"] == "STATUS_CANCELED"


def test_a_flag_that_is_neither_is_refused(api):
    answer = api.get("/api/news_feed/?important_news_only=maybe")
    assert answer.status_code == 400
    assert "neither true nor false" in answer.json()["important_news_only"][0]


def test_timestamps(world, api):
    plan = world.plan
    moment = plan.creation_date.isoformat()
    assert len(_news(api, timestamp_after=moment)) == 1, "inclusive"
    assert len(_news(api, timestamp_before=moment)) == 0, "exclusive"
    day = timedelta(days=1)
    assert _news(api, timestamp_after=(timezone.now() + day).isoformat()) == []
    assert len(_news(api, timestamp_before=(timezone.now() + day).isoformat())) == 1
    assert api.get("/api/news_feed/?timestamp_after=x").status_code == 400


def test_everybody_reads_the_news(world, api, bobs_api):
    assert world.parent
    assert _news(api) == _news(bobs_api)

"""How long the steps of tasks and builds took. Contract 2.5 and 2.12."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.api.profiling import TaskProfilingSerializer
from assets.compute.models import Task
from assets.compute.registration import report_steps
from assets.compute.statuses import TaskStatus
from assets.functions.serializers import FunctionProfilingSerializer
from tests.builders import set_status

from .shapes import check_shape

pytestmark = pytest.mark.postgresql

STEPS = [
    {"step": "prepare_inputs", "duration": 1200},
    {"step": "task_execution", "duration": 3_000_000},
]


@pytest.fixture
def send(api):
    """Send JSON as POST or PUT."""
    return lambda method, url, body: getattr(api, method)(url, body, format="json")


@pytest.fixture
def task(world):
    return world.parent.key


def url_of(task, *more: str) -> str:
    return "/".join(["/api/task_profiling", str(task), *more, ""])


def rundown(api, task) -> list[dict]:
    return api.get(url_of(task)).json()["execution_rundown"]


def test_a_task_without_steps(task, api):
    answer = api.get(url_of(task))
    found = {"compute_task_key": str(task), "task_duration": None, "execution_rundown": []}
    assert (answer.status_code, answer.json()) == (200, found)
    assert api.get("/api/task_profiling/").json()["count"] == 0


def test_report_all_steps_at_once(task, api, send):
    body = {"compute_task_key": str(task), "execution_rundown": STEPS}
    answer = send("post", "/api/task_profiling/", body)
    assert answer.status_code == 201
    assert answer.json()["execution_rundown"] == STEPS
    assert api.get("/api/task_profiling/").json()["results"] == [answer.json()]
    check_shape(answer.json(), TaskProfilingSerializer())


def test_as_the_reference_workers_report(task, api, send):
    """They announce the task, then send each step, and another value by PUT."""
    assert send("post", "/api/task_profiling/", {"compute_task_key": str(task)}).status_code == 201
    assert send("post", "/api/task_profiling/", {"compute_task_key": str(task)}).status_code == 201
    for step in STEPS:
        answer = send("post", url_of(task, "step"), step)
        assert (answer.status_code, answer.json()) == (201, step)
    answer = send("put", url_of(task, "step", "prepare_inputs"), {"duration": 7})
    assert (answer.status_code, answer.json()) == (200, {**STEPS[0], "duration": 7})
    assert rundown(api, task) == [{**STEPS[0], "duration": 7}, STEPS[1]]


def test_put_replaces_what_it_names(task, api, send):
    send("put", url_of(task), {"execution_rundown": STEPS})
    answer = send("put", url_of(task), {"execution_rundown": [{**STEPS[1], "duration": 9}]})
    assert answer.status_code == 200
    assert answer.json()["execution_rundown"] == [STEPS[0], {**STEPS[1], "duration": 9}]


def test_duration_of_a_task(task, api):
    start = timezone.now()
    end = start + timedelta(seconds=2, microseconds=5)
    set_status([task], TaskStatus.DONE, start_date=start, end_date=end)
    assert api.get(url_of(task)).json()["task_duration"] == 2_000_005


DURATIONS = [
    (5, 5),
    ("5", 5),
    ("0:00:20", 20_000_000),
    ("00:00:20.5", 20_500_000),
    ("1 00:00:00", 86_400_000_000),
]


@pytest.mark.parametrize(("sent", "stored"), DURATIONS, ids=repr)
def test_durations(sent, stored, task, api):
    """The reference workers send texts, in forms."""
    as_form = {"content_type": "application/x-www-form-urlencoded"}
    for step, options in (("prepare_inputs", {"format": "json"}), ("save_outputs", as_form)):
        body = {"step": step, "duration": sent}
        body = urlencode(body) if options is as_form else body
        answer = api.post(url_of(task, "step"), body, **options)
        assert answer.status_code == 201, answer.content
    assert [step["duration"] for step in rundown(api, task)] == [stored, stored]


@pytest.mark.parametrize(
    "sent", ["", None, True, 1.5, "soon", "1:2:3:4", [], {}, "9" * 30, "P1D"], ids=repr
)
def test_what_is_no_duration(sent, task, api, send):
    answer = send("post", url_of(task, "step"), {**STEPS[0], "duration": sent})
    assert answer.status_code == 400
    assert "duration" in answer.json()
    assert rundown(api, task) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "step", {"step": "build_image", "duration": 1}),
        ("post", "step", {"step": "prepare_inputs", "duration": -1}),
        ("post", "step", {"step": "prepare_inputs", "duration": 2**63}),
        ("put", "step/unknown", {"duration": 1}),
        ("put", "", {"execution_rundown": [STEPS[0], {"step": "x", "duration": 1}]}),
    ],
)
def test_what_is_no_step(method, path, body, task, api, send):
    url = url_of(task, path) if path else url_of(task)
    answer = send(method, url, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0101: ")
    assert rundown(api, task) == []


@pytest.mark.parametrize("key", [uuid4(), "nothing"])
def test_unknown_tasks(key, api, send):
    for answer in (
        api.get(url_of(key)),
        send("put", url_of(key), {"execution_rundown": STEPS}),
        send("post", url_of(key, "step"), STEPS[0]),
        send("put", url_of(key, "step", "prepare_inputs"), {"duration": 1}),
    ):
        assert answer.status_code == 404
    body = {"compute_task_key": str(key)}
    assert send("post", "/api/task_profiling/", body).status_code in (400, 404)


def test_many_tasks_take_as_many_queries(world, alice, api, django_assert_num_queries):
    function = world.making()
    for number in (1, 12):
        for _ in range(number):
            spec = world.registered(world.simple(function))
            report_steps(Task.objects.get(pk=spec.key), {"prepare_inputs": 1}, alice)
        # The token, and the page.
        with django_assert_num_queries(2):
            assert api.get("/api/task_profiling/").json()["count"] >= number


def test_steps_of_a_build(world, alice, api):
    function = world.making()
    url = f"/api/function/{function.key}/profiling/"
    found = {"function_key": str(function.key), "execution_rundown": [], "duration": None}
    assert api.get(url).json() == found
    report_steps(function, {"save_function": 6}, alice)
    assert api.get(url).json()["duration"] is None
    report_steps(function, {"build_image": 5}, alice)
    answer = api.get(url).json()
    assert answer["execution_rundown"] == [
        {"step": "build_image", "duration": 5},
        {"step": "save_function", "duration": 6},
    ]
    assert answer["duration"] == 11
    check_shape(answer, FunctionProfilingSerializer())
    assert api.get(f"/api/function/{uuid4()}/profiling/").status_code == 404

"""Requests that claim one key at once, of several processes: one wins, the others hear of it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import requests

from assets.compute.specs import TaskSpec
from tests import builders

RIVALS = 8


def _all_at_once(url: str, headers: dict[str, str], bodies: list[Any]) -> list[requests.Response]:
    start = Barrier(len(bodies))

    def send(body: Any) -> requests.Response:
        start.wait(60)
        return requests.post(url, json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


def _wrong(kind: str, key: UUID, answers: list[requests.Response]) -> list[str]:
    lost = [answer for answer in answers if answer.status_code >= 300]
    # The SDK is given the key of a plan in a list.
    expected = (str(key), [str(key)])
    conflicts = [
        answer.status_code == 409 and answer.json().get("key") in expected for answer in lost
    ]
    if len(conflicts) == RIVALS - 1 and all(conflicts):
        return []
    return [f"{kind} {key}: {[(answer.status_code, answer.text[:200]) for answer in answers]}"]


def wrong_rivals(root: str, headers: dict[str, str], times: int) -> list[str]:
    """Let plans and tasks compete for one key `times` times; return what went wrong."""
    wrong = []
    wire = builders.wire_function(builders.function_spec(name="Rivals", inputs=()))
    files = {name: (file.name, file) for name, file in wire.items() if name != "json"}
    url, data = f"{root}/api/function/", {"json": wire["json"]}
    function = requests.post(url, data=data, files=files, headers=headers, timeout=60).json()
    for _ in range(times):
        key = uuid4()
        plans = [builders.plan_spec(key=key, name=f"Study {n}") for n in range(RIVALS)]
        bodies = [builders.wire_plan(plan) for plan in plans]
        wrong += _wrong("plan", key, _all_at_once(f"{root}/api/compute_plan/", headers, bodies))
        task = uuid4()
        outputs = {"model": builders.OutputSpec(builders.PRIVATE)}
        tasks = [
            TaskSpec(task, function["key"], "MyOrg1MSP", tag=f"tag {n}", outputs=outputs)
            for n in range(RIVALS)
        ]
        bodies = [{"tasks": [builders.wire_task(spec, key)]} for spec in tasks]
        wrong += _wrong(
            "task", task, _all_at_once(f"{root}/api/task/bulk_create/", headers, bodies)
        )
    return wrong

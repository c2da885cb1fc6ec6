"""The browsable pages: they render for whoever signed in, and their forms can be posted."""

import json
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from assets.compute.models import ComputePlan, Task
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from tests.builders import (
    CODE,
    DESCRIPTION,
    OPENER,
    PERFORMANCE_OUTPUT,
    make_dataset,
    make_failure,
    make_function,
    make_model,
    make_performance,
    set_status,
    wire_task,
    zip_of,
)

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Forms(HTMLParser):
    """Collects the forms of a page with the names of their fields, and where the page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attributes) -> None:
        found = dict(attributes)
        if tag == "form":
            self.forms.append({"action": found.get("action", ""), "fields": {}})
        elif tag in ("input", "textarea", "select") and found.get("name") and self.forms:
            # What a browser sends of an unchanged form.
            empty = tag == "select" or (found.get("type") == "checkbox" and "checked" not in found)
            self.forms[-1]["fields"][found["name"]] = None if empty else found.get("value", "")
        self.links += [found[name] for name in ("src", "href", "action") if found.get(name)]


def read(page) -> Forms:
    parser = Forms()
    parser.feed(page.content.decode())
    return parser


@pytest.fixture
def browser(world) -> Client:
    """Alice's browser, which checks that forms carry their token."""
    client = Client(enforce_csrf_checks=True, headers=HTML)
    client.force_login(world.alice)
    return client


LISTS = [
    "data_manager",
    "data_sample",
    "function",
    "compute_plan",
    "task",
    "model",
    "performance",
    "task_profiling",
    "news_feed",
    "organization",
    "compute_plan_metadata",
    "info",
]


@pytest.mark.parametrize("resource", [*LISTS, ""])
def test_lists(resource, world, browser):
    make_performance(world.registered(world.simple(world.making(PERFORMANCE_OUTPUT))).key, 1)
    make_model(world.parent.key)
    page = browser.get(f"/api/{resource}/" if resource else "/api/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    text = page.content.decode()
    assert "alice" in text


@pytest.mark.parametrize("resource", LISTS[:6])
def test_details(resource, world, browser, api):
    make_model(world.parent.key)
    key = api.get(f"/api/{resource}/").json()["results"][0]["key"]
    page = browser.get(f"/api/{resource}/{key}/")
    assert page.status_code == 200
    assert key in page.content.decode()


NESTED = [
    "compute_plan/{plan}/task/",
    "compute_plan/{plan}/functions/",
    "compute_plan/{plan}/perf/",
    "compute_plan/{plan}/workflow_graph/",
    "task/{task}/input_assets/",
    "task/{task}/output_assets/",
    "task_profiling/{task}/",
]


@pytest.mark.parametrize("address", NESTED)
def test_nested_pages(address, world, browser):
    task = world.parent
    url = f"/api/{address.format(task=task.key, plan=task.compute_plan_key)}"
    assert browser.get(url).status_code == 200


UNKNOWN = "00000000-0000-4000-8000-000000000000"
REFUSED = [
    ("compute_plan/?status=x", 400),
    ("compute_plan/?page=9", 404),
    (f"compute_plan/{UNKNOWN}/", 404),
    ("task/bulk_create/", 405),
    ("data_sample/bulk_update/", 405),
    (f"compute_plan/{UNKNOWN}/cancel/", 405),
    (f"compute_plan/{UNKNOWN}/tasks/", 405),
]


@pytest.mark.parametrize(("address", "status"), REFUSED)
def test_refusals_are_pages_too(address, status, browser):
    page = browser.get(f"/api/{address}")
    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("who", ["victor", "root", None])
def test_others_get_a_page(who, world):
    client = Client(headers=HTML)
    if who:
        client.force_login(world.users[who])
    page = client.get("/api/compute_plan/")
    assert page.status_code == {"victor": 200, "root": 403, None: 401}[who]
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("address", ["", "data_manager/", "task/", "compute_plan/?ordering=name"])
def test_pages_use_files_of_our_own_host_only(address, world, browser):
    assert world.parent
    page = read(browser.get(f"/api/{address}"))
    ours = "/", "#", "?", "http://testserver/"
    assert [link for link in page.links if not link.startswith(ours) and link != "."] == []


@pytest.mark.parametrize("resource", LISTS[:5])
def test_the_form_of_all_filters(resource, world, browser):
    """Drawn with every filter, though a program's request looks at those that it names only."""
    assert world.parent
    page = browser.get(f"/api/{resource}/?owner=MyOrg1MSP")
    assert page.status_code == 200
    assert 'name="creation_date_' in page.content.decode()


def test_the_first_page_says_what_this_is(browser):
    text = browser.get("/api/").content.decode()
    assert "<h1>API</h1>" in text
    assert "Programs sign in by a token, which you make under Account." in text
    assert "DefaultRouter" not in text


# --- Files ---------------------------------------------------------------------------------------


def _files(world) -> dict[str, str]:
    """The address of every kind of file, none of which bob's organisation may have."""
    dataset, function = make_dataset(world.alice), make_function(world.alice)
    model = make_model(world.parent.key)
    set_status([world.parent.key], TaskStatus.FAILED)
    report = make_failure(b"logs", task_id=world.parent.key)
    return {
        "opener": f"data_manager/{dataset.pk}/opener/",
        "description of a dataset": f"data_manager/{dataset.pk}/description/",
        "archive": f"function/{function.pk}/file/",
        "description of a function": f"function/{function.pk}/description/",
        "image": f"function/{function.pk}/image/",
        "model": f"model/{model.key}/file/",
        "logs of a task": f"task/{world.parent.key}/logs/",
        "logs": f"logs/{report.task_id}/file/",
    }


def test_a_refused_link_to_a_file_says_who_to_ask(world):
    client = Client(headers=HTML)
    client.force_login(world.bob)
    for name, address in _files(world).items():
        page = client.get(f"/api/{address}")
        text = page.content.decode()
        assert page.status_code == 403, name
        assert "You do not have permission to download this file" in text, name
        assert "you act for MyOrg2MSP. Ask MyOrg1MSP to register it" in text, name
        assert "HTTP 403" not in text, name
        # Programs are answered as before.
        answer = client.get(f"/api/{address}", headers={"accept": "*/*"})
        assert answer.json() == {"detail": "Unauthorized"}, name


@pytest.mark.parametrize(
    ("who", "address", "status", "message"),
    [
        (None, f"data_manager/{UNKNOWN}/opener/", 401, "?next=/api/data_manager/"),
        ("bob", f"data_manager/{UNKNOWN}/opener/", 404, "File not found"),
        ("bob", "model/x/file/", 400, "key is not a valid UUID"),
        ("bob", f"logs/{UNKNOWN}/file/", 404, "File not found"),
    ],
)
def test_a_link_to_no_file(who, address, status, message, world):
    client = Client(headers=HTML)
    if who:
        client.force_login(world.users[who])
    page = client.get(f"/api/{address}")
    assert page.status_code == status
    assert message in page.content.decode()
    assert "HTTP " not in page.content.decode()


# --- Posting -------------------------------------------------------------------------------------


def _post(browser, url, **values):
    """Fill in the form of the page and send it as a browser does."""
    forms = read(browser.get(url)).forms
    wanted = {*values, "csrfmiddlewaretoken"}
    form = next(form for form in forms if wanted <= set(form["fields"]))
    fields = {name: value for name, value in form["fields"].items() if value is not None}
    return browser.post(form["action"] or url, {**fields, **values})


def test_dataset(browser):
    page = _post(
        browser,
        "/api/data_manager/",
        name="Scans",
        type="images",
        metadata='{"a": "b"}',
        data_opener=ContentFile(OPENER, "opener.py"),
        description=ContentFile(DESCRIPTION, "d.md"),
        **{"permissions.public": "true", "logs_permission.authorized_ids": ["MyOrg2MSP"]},
    )
    assert page.status_code == 201
    assert page.headers["Content-Type"].startswith("text/html")
    dataset = Dataset.objects.get()
    assert dataset.permissions.public
    assert dataset.logs_permission.authorized_ids == ["MyOrg1MSP", "MyOrg2MSP"]


def test_a_dataset_with_the_least(browser):
    page = _post(
        browser,
        "/api/data_manager/",
        name="Scans",
        data_opener=ContentFile(OPENER, "opener.py"),
        description=ContentFile(DESCRIPTION, "d.md"),
    )
    assert page.status_code == 201
    assert Dataset.objects.get().permissions.authorized_ids == ["MyOrg1MSP"]


def test_function(browser):
    page = _post(
        browser,
        "/api/function/",
        name="Train",
        outputs=json.dumps({"m": {"kind": "ASSET_MODEL"}}),
        file=ContentFile(zip_of(CODE), "f.zip"),
        description=ContentFile(DESCRIPTION, "d.md"),
    )
    assert page.status_code == 201
    assert Function.objects.get().outputs.count() == 1


def test_sample(world, browser):
    page = _post(
        browser,
        "/api/data_sample/",
        data_manager_keys=[str(world.dataset.key)],
        file=ContentFile(zip_of({"a": b"1"}), "a.zip"),
    )
    assert page.status_code == 201
    assert DataSample.objects.count() == 1


def test_plan_with_a_task(world, browser):
    key = str(uuid4())
    page = _post(
        browser,
        "/api/compute_plan/",
        key=key,
        name="Study",
        tasks=json.dumps([wire_task(world.task(), key)]),
    )
    assert page.status_code == 201
    assert ComputePlan.objects.get(pk=key).task_count == 1


def test_a_refused_form_is_a_page(browser):
    page = _post(browser, "/api/compute_plan/", key=str(uuid4()), name="")
    assert page.status_code == 400
    assert page.headers["Content-Type"].startswith("text/html")
    assert "cannot be blank" in page.content.decode()


def test_the_form_of_samples_offers_own_datasets_only(world, browser):
    own, other = world.dataset, make_dataset(world.bob, name="Bones")
    text = browser.get("/api/data_sample/").content.decode()
    assert f'<option value="{own.key}"' in text
    assert f'<option value="{other.key}"' not in text


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan"])
def test_rename(resource, world, browser):
    """Pages send a PUT by script; what they send is this."""
    asset = {"data_manager": world.dataset, "function": world.train, "compute_plan": world.plan}
    url = f"/api/{resource}/{asset[resource].key}/"
    form = read(browser.get(url))
    token = browser.cookies["csrftoken"].value
    body = json.dumps({"name": "New"})
    headers = {"x-csrftoken": token}
    page = browser.put(url, body, content_type="application/json", headers=headers)
    assert form.forms
    assert page.status_code == 200
    asset[resource].refresh_from_db()
    assert asset[resource].name == "New"


def test_a_session_without_the_forms_token_is_refused(world, browser):
    body = json.dumps({"key": str(uuid4()), "name": "Study"})
    page = browser.post("/api/compute_plan/", body, content_type="application/json")
    assert page.status_code == 403
    assert not ComputePlan.objects.exists()


def test_batch(world, browser):
    browser.get("/api/task/")
    body = json.dumps({"tasks": [wire_task(world.task())]})
    headers = {"x-csrftoken": browser.cookies["csrftoken"].value}
    url = "/api/task/bulk_create/"
    page = browser.post(url, body, content_type="application/json", headers=headers)
    assert page.status_code == 200
    assert Task.objects.count() == 1

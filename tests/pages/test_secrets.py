"""What is in private files never reaches a page of others, and who may not write writes nothing."""

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assets.accounts.models import ApiToken, User
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from assets.pages import urlpatterns
from assets.uploads.models import Upload
from tests.builders import (
    CODE,
    OPENER,
    PUBLIC,
    dataset_spec,
    make_dataset,
    make_failure,
    make_function,
    make_model,
    make_plan,
    make_samples,
    set_status,
    training_task,
    upload,
    wire_plan_task,
    zip_of,
)
from tests.rules.cases import everything

from .test_attacks import url_of

SECRET = "hush-7c1f"
STRANGERS = ("bob", "root")


@pytest.fixture
def keys(alice):
    """One of each kind of alice's, with the secret in every file that others may not have."""
    text = upload(f"# {SECRET}\n".encode(), "description.md")
    dataset = make_dataset(
        alice, data_opener=upload(OPENER + f"# {SECRET}".encode(), "o.py"), description=text
    )
    samples = make_samples(alice, dataset.key)
    files = {**CODE, f"{SECRET}.py": SECRET.encode(), "Dockerfile": f"FROM {SECRET}".encode()}
    function = make_function(
        alice, file=upload(zip_of(files), "f.zip"), description=upload(SECRET.encode(), "d.md")
    )
    done, failed = (training_task(dataset, samples, function) for _ in range(2))
    plan = make_plan(alice, done, failed)
    make_model(done.key, content=SECRET.encode())
    set_status([done.key], TaskStatus.DONE)
    set_status([failed.key], TaskStatus.FAILED)
    make_failure(SECRET.encode(), task_id=failed.key)
    return {
        "dataset": dataset.key,
        "data-sample": samples[0].key,
        "function": function.key,
        "compute-plan": plan.key,
        "task": failed.key,
        "organization": alice.organization_id,
        "user": alice.pk,
    }


def urls_about(keys):
    urls = [url_of(pattern.name, keys) for pattern in urlpatterns]
    urls += [f"{url}?code" for url in urls]
    urls += [f"{reverse('function-file', args=[keys['function'], f'{SECRET}.py'])}"]
    for kind in ("dataset", "function", "compute-plan", "task"):
        urls += [f"{reverse(f'{kind}-new')}?like={keys[kind]}"]
    lists = ("datasets", "data-samples", "functions", "compute-plans", "tasks", "activity")
    urls += [f"{reverse(name)}?export={kind}" for name in lists for kind in ("csv", "json")]
    urls += [f"/tasks/new/?function={keys['function']}", f"/search/?q={keys['function']}"]
    return [*urls, f"/data-samples/new/?dataset={keys['dataset']}"]


def read(answer) -> bytes:
    return answer.getvalue() if answer.streaming else answer.content


def is_shown(browser, keys) -> set[str]:
    return {url for url in urls_about(keys) if SECRET.encode() in read(browser.get(url))} - {
        # An address that one knows says what it says.
        *(url for url in urls_about(keys) if SECRET in url)
    }


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_see_nothing_of_private_files(session_of, request, keys, who):
    assert is_shown(session_of(request.getfixturevalue(who)), keys) == set()


def test_its_own_organization_sees_them(session_of, victor, keys):
    """The test above would find what is shown."""
    reported = is_shown(session_of(victor), keys)
    assert {url_of(kind, keys) for kind in ("dataset", "function")} <= reported


@pytest.mark.parametrize("who", STRANGERS)
def test_file_of_an_archive_is_refused_to_strangers(session_of, request, keys, who):
    browser = session_of(request.getfixturevalue(who))
    for name in (f"{SECRET}.py", "Dockerfile", "nosuch.py", "../x"):
        url = reverse("function-file", args=[keys["function"], name])
        answer = browser.get(url)
        assert answer.status_code == 403
        assert answer.content.count(SECRET.encode()) == 0 or SECRET in name


def test_builder_offers_strangers_nothing_private(session_of, bob, alice, keys):
    browser = session_of(bob)
    own = make_function(bob, permissions=PUBLIC)
    hidden = make_function(alice, name="Hidden function")
    make_dataset(alice, name="Hidden dataset")
    sent = {"task-function": own.key, "task-key": uuid4(), "task-in-0": keys["dataset"]}
    searches = {"task-in-0-search": "Hidden", "task-in-2-search": "", "function-search": "Hidden"}
    for live in ("task-in-0", "task-in-2", "function"):
        given = {**sent, **searches, "live": live, "picker": "yes"}
        page = browser.post("/compute-plans/new/", given).content.decode()
        assert "Hidden function" not in page
        assert "Hidden dataset" not in page
        assert str(hidden.key) not in page


# --- Who may write --------------------------------------------------------------------------------


def forms_about(keys, alice) -> dict[str, dict]:
    """What a member of alice's organisation may send, by URL."""
    file = {"data_opener": SimpleUploadedFile("o.py", OPENER)}
    file["description"] = SimpleUploadedFile("d.md", b"text")
    spec = dataset_spec()
    task = {"function_key": str(keys["function"]), "worker": alice.organization_id}
    code = SimpleUploadedFile("f.zip", zip_of(CODE))
    rename = {"name": "Renamed"}
    return {
        "dataset-new": {"name": spec.name, "type": "x", **file},
        "dataset-rename": rename,
        "function-new": {"name": "x", "file": code, "description": file["description"]},
        "function-rename": rename,
        "function-try": {"dataset": keys["dataset"], "fake_samples": "1"},
        "data-sample-new": {"datasets": keys["dataset"], "archives": code},
        "data-sample": {},
        "data-sample-link": {"datasets": keys["dataset"], "data_samples": keys["data-sample"]},
        "compute-plan-new": {"name": "x", "tasks": ""},
        "compute-plan-rename": rename,
        "compute-plan-cancel": {},
        "compute-plan-tasks": {"tasks": json.dumps([task])},
        "task-new": {"task-function": keys["function"], "task-key": uuid4(), "task-worker": "x"},
        "upload-opener": {"file": SimpleUploadedFile("o.py", OPENER)},
        "upload-description": {"file": SimpleUploadedFile("d.md", b"text")},
        "upload-data-sample": {"file": SimpleUploadedFile("s.zip", zip_of(CODE))},
        "upload-function": {"file": SimpleUploadedFile("f.zip", zip_of(CODE))},
        "user-new": {"username": "mallory", "organization": alice.organization_id, "role": "admin"},
        "user": {"role": "admin", "action": "role", "is_active": ""},
        "user-reset": {},
        "user-unlock": {},
        "user-factor-reset": {},
        "user-approve": {"username": "mallory", "role": "admin"},
        "user-refuse": {},
        "organization-new": {"id": "MalloryMSP", "name": "x"},
    }


def state() -> list:
    users = list(User.objects.order_by("pk").values_list("username", "role", "is_active"))
    return [everything(), users, ApiToken.objects.count()]


def assert_writes_nothing(browser, keys, alice, names) -> None:
    before = state()
    for name in names:
        for action in ("", "register", "put"):
            sent = forms_about(keys, alice)[name]
            answer = browser.post(
                url_of(name, keys), {**sent, **({"action": action} if action else {})}
            )
            assert answer.status_code in (403, 404, 405, 422), name
            assert state() == before, name


OF_ASSETS = (
    *("dataset-new", "dataset-rename", "function-new", "function-rename", "data-sample-new"),
    *(
        "data-sample",
        "data-sample-link",
        "compute-plan-new",
        "compute-plan-rename",
        "compute-plan-cancel",
    ),
    *("compute-plan-tasks", "upload-opener", "upload-description", "upload-data-sample"),
    *("upload-function", "function-try"),
)
OF_OTHERS = (
    *("dataset-rename", "function-rename", "data-sample-new", "data-sample", "data-sample-link"),
    *("compute-plan-rename", "compute-plan-cancel", "compute-plan-tasks", "function-try"),
)
OF_PEOPLE = (
    *("user-new", "user", "user-reset", "user-unlock", "user-factor-reset", "user-approve"),
    *("user-refuse", "organization-new"),
)


@pytest.mark.parametrize("who", ["victor", "root"])
def test_who_may_not_register_writes_nothing(session_of, request, keys, alice, who):
    browser = session_of(request.getfixturevalue(who))
    assert_writes_nothing(browser, keys, alice, OF_ASSETS)
    assert not Upload.objects.exists()


def test_strangers_write_nothing_of_others(session_of, bob, alice, keys):
    assert_writes_nothing(session_of(bob), keys, alice, OF_OTHERS)


@pytest.mark.parametrize("who", ["alice", "victor", "bob"])
def test_members_manage_no_one(session_of, request, keys, alice, who):
    browser = session_of(request.getfixturevalue(who))
    if who == "alice":
        keys = {**keys, "user": request.getfixturevalue("ada").pk}
    assert_writes_nothing(browser, keys, alice, OF_PEOPLE)


def test_admins_manage_no_one_elsewhere(session_of, ada, bob, root, alice, keys):
    browser = session_of(ada)
    for user in (bob, root):
        about = {**keys, "user": user.pk}
        assert_writes_nothing(browser, about, alice, ("user", "user-reset", "organization-new"))
        assert browser.get(url_of("user", about)).status_code == 404
    before = state()
    elsewhere = {"username": "mallory", "organization": bob.organization_id, "role": "admin"}
    browser.post("/users/new/", elsewhere)
    mallory = User.objects.filter(username="mallory").first()
    assert state() == before or mallory.organization_id == ada.organization_id


@pytest.mark.parametrize("who", ["victor", "root", "bob"])
def test_task_is_registered_by_those_who_may(session_of, request, keys, alice, who):
    spec = wire_plan_task(training_task(*_parts(keys)))
    sent = {"task-function": spec["function_key"], "task-key": spec["task_id"]}
    sent |= {"task-in-0": keys["dataset"], "task-in-1": keys["data-sample"], "action": "register"}
    browser = session_of(request.getfixturevalue(who))
    before = state()
    answer = browser.post("/tasks/new/", sent)
    assert answer.status_code == 422
    assert state() == before
    assert session_of(alice).post("/tasks/new/", sent).status_code == 302


def _parts(keys):
    return (
        Dataset.objects.get(pk=keys["dataset"]),
        [DataSample.objects.get(pk=keys["data-sample"])],
        Function.objects.get(pk=keys["function"]),
    )

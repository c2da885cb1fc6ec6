"""Pages of functions: the list, the page of one, the files of its archive, its name."""

import json
import re
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse

from assets.common.files.archives import preview
from assets.compute.specs import OutputSpec
from assets.compute.statuses import ErrorType
from assets.functions.models import Function, FunctionStatus
from assets.functions.pages import PREVIEW_ROWS
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from assets.functions.tables import FunctionTable
from tests.builders import (
    MODEL_OUTPUT,
    PUBLIC,
    make_aggregate,
    make_dataset,
    make_failure,
    make_function,
    make_plan,
    make_samples,
    only_to,
    tar_of,
    training_task,
    upload,
)
from tests.functions.archives import FILES, function_with

LIST = reverse("functions")
QUERIES_OF_LIST = 8
# While it waits: once it is final, runners are not asked for.
QUERIES_OF_PAGE = 11


def page_of(function: Function, name: str = "function") -> str:
    return reverse(name, args=[function.pk])


def file_url(function: Function, name: str) -> str:
    return reverse("function-file", args=[function.pk, name])


def text_of(response) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def function(alice) -> Function:
    return function_with(alice)


@pytest.fixture
def urls(function) -> list[str]:
    return [LIST, page_of(function), file_url(function, "function.py")]


# --- Who sees what -------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "victor", "ada"])
def test_its_organisation_sees_all_of_it(who, urls, session_of, request):
    browser = session_of(request.getfixturevalue(who))
    assert [browser.get(url).status_code for url in urls] == [200, 200, 200]


def test_strangers_see_what_it_is_and_not_its_files(urls, bob, session_of):
    browser = session_of(bob)
    listed, page, file = [browser.get(url) for url in urls]
    assert [listed.status_code, page.status_code, file.status_code] == [200, 200, 403]
    assert "datasamples" in text_of(page)
    for response in (page, file):
        text = text_of(response)
        assert "Only MyOrg1MSP can download this, and you act for MyOrg2MSP." in text
        assert "Ask MyOrg1MSP to register it with permission for you." in text
        for secret in ("python:3.11-slim", "trained", "src/util.py", "Measurements"):
            assert secret not in text
        assert "/api/function/" not in text
    assert file.context.get("files") is None
    assert page.context.get("files") is None


def test_the_permitted_see_the_files(alice, bob, session_of):
    function = function_with(alice, permissions=only_to("MyOrg2MSP"))
    browser = session_of(bob)
    assert "python:3.11-slim" in text_of(browser.get(page_of(function)))
    assert "trained" in text_of(browser.get(file_url(function, "function.py")))


def test_a_superuser_of_no_organisation_sees_no_file(function, root, session_of):
    response = session_of(root).get(file_url(function, "function.py"))
    assert response.status_code == 403
    assert "you belong to none" in text_of(response)


def test_whoever_is_not_signed_in_is_asked_to(urls, client):
    for url in urls:
        response = client.get(url)
        assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("sign-in"))


@pytest.mark.parametrize("key", [uuid4(), "no-key"])
@pytest.mark.parametrize("name", ["function", "function-rename"])
def test_a_function_that_is_not_there(name, key, alice, session_of):
    response = session_of(alice).get(reverse(name, args=[key]))
    assert response.status_code == 404


def test_pages_are_only_read(urls, alice, session_of):
    browser = session_of(alice)
    assert [browser.post(url).status_code for url in urls] == [405, 405, 405]


# --- The list ------------------------------------------------------------------------------------


def test_the_list_says_what_functions_take_and_make(function, alice, session_of):
    columns = "name,key,permissions,status,inputs,outputs,tasks,metadata,archive_checksum"
    (row,) = json.loads(
        b"".join(session_of(alice).get(f"{LIST}?columns={columns}&export=json").streaming_content)
    )
    assert row == {
        "name": "Train",
        "key": str(function.key),
        "permissions": "MyOrg1MSP",
        "status": "waiting",
        "inputs": "opener, datasamples, shared",
        "outputs": "model",
        "tasks": 0,
        "metadata": "",
        "archive_checksum": function.archive_checksum,
    }


def test_the_list_shows_the_first_inputs_of_many(alice, session_of):
    many = [FunctionInputSpec(f"m{number}", "ASSET_MODEL") for number in range(9)]
    make_function(alice, inputs=many)
    text = text_of(session_of(alice).get(LIST))
    assert "m0, m1, m2, m3 and 5 more" in text
    assert 'title="m0, m1, m2, m3, m4, m5, m6, m7, m8"' in text


FILTERS = {
    "q=aggr": {"Aggregate"},
    "q=aggr&q=": {"Aggregate", "Train", "Score"},
    "owner=MyOrg2MSP": {"Score"},
    "after=2020-01-01": {"Aggregate", "Train", "Score"},
    "before=2020-01-01": set(),
    "usable=on": {"Aggregate", "Train"},
    "status=FUNCTION_STATUS_READY": {"Train"},
    "status=FUNCTION_STATUS_WAITING": {"Aggregate", "Score"},
    "status=nonsense": {"Aggregate", "Train", "Score"},
    "metadata=round%3Done": {"Aggregate"},
    "metadata=round": {"Aggregate", "Score"},
    "usable=on&metadata=round": {"Aggregate"},
}


@pytest.mark.parametrize(("query", "names"), FILTERS.items(), ids=FILTERS)
def test_filters(query, names, alice, bob, session_of):
    make_aggregate(alice, metadata={"round": "one"})
    train = make_function(alice, permissions=PUBLIC)
    make_function(bob, name="Score", metadata={"round": "two"})
    Function.objects.filter(pk=train.pk).update(status=FunctionStatus.READY)
    table = session_of(alice).get(f"{LIST}?{query}").context["table"]
    assert {row.record.name for row in table.rows} == names


def test_statuses_are_words(alice, session_of):
    function = make_function(alice)
    for status in FunctionStatus:
        Function.objects.filter(pk=function.pk).update(status=status)
        text = text_of(session_of(alice).get(LIST))
        assert f'<span class="tag tag-{status.name.lower()}">{status.label}</span>' in text


@pytest.mark.parametrize("count", [2, 20])
def test_queries_of_the_list(count, alice, session_of, django_assert_num_queries):
    for number in range(count):
        make_function(alice, name=f"Function {number}", metadata={"number": str(number)})
    browser = session_of(alice)
    browser.get(LIST)
    with django_assert_num_queries(QUERIES_OF_LIST):
        browser.get(LIST)


@pytest.mark.parametrize(("tasks", "shown"), [(1, "1"), (2, "2"), (3, "2+"), (4, "2+")])
def test_tasks_are_counted_so_far_on_pages_and_whole_in_exports(
    tasks, shown, alice, session_of, monkeypatch
):
    monkeypatch.setattr(FunctionTable.base_columns["tasks"], "limit", 2)
    dataset, function = make_dataset(alice), make_function(alice)
    make_function(alice, name="Another")
    samples = make_samples(alice, dataset.key)
    make_plan(alice, *(training_task(dataset, samples, function) for _ in range(tasks)))
    browser, columns = session_of(alice), f"{LIST}?columns=tasks"
    cells = re.findall(r"<td[^>]*>([0-9+]*)</td>", text_of(browser.get(columns)))
    assert cells == ["0", shown]
    exported = b"".join(browser.get(f"{columns}&export=csv")).decode("utf-8-sig").split()
    assert exported == ["Tasks", "0", str(tasks)]


# --- One function --------------------------------------------------------------------------------


def test_the_page_says_everything(function, alice, bob, session_of):
    response = session_of(alice).get(page_of(function))
    text = text_of(response)
    for part in (
        *(str(function.key), function.archive_checksum, function.description_checksum),
        '<h3 id="prose-measurements">Measurements</h3>',
        '<span class="tag tag-waiting">waiting</span>',
        "the opener that reads the data",
        "one or none",
        f'href="{reverse("function-new")}?like={function.pk}"',
        f'href="{page_of(function, "function-rename")}"',
        f'href="{reverse("api:function-file", args=[function.pk])}"',
        f'href="{reverse("api:function-description", args=[function.pk])}"',
        "No task uses it yet.",
    ):
        assert part in text, part
    assert response.context["uses"] == ["Run and download"]
    assert [(row[0].pk, row[2]) for row in response.context["access"]] == [
        ("MyOrg1MSP", [True]),
        ("MyOrg2MSP", [False]),
        ("MyOrg3MSP", [False]),
    ]
    assert len(response.context["events"]) == 1


def test_scripts_in_descriptions_and_files_do_nothing(alice, session_of):
    attack = b"<script>alert(1)</script>"
    function = function_with(
        alice,
        description=upload(b"# Hello\n\n" + attack + b"\n\n[x](javascript:alert)", "d.md"),
        archive=tar_of({"Dockerfile": attack, "a.html": attack}),
        name="<script>name</script>",
    )
    browser = session_of(alice)
    for url in (page_of(function), file_url(function, "a.html")):
        content = browser.get(url).content.decode()
        assert "<script>alert" not in content
        assert "<script>name" not in content
        assert 'href="javascript' not in content
        assert "&lt;" in content


def test_a_description_that_is_no_text(alice, session_of):
    function = function_with(alice, description=upload(b"\xff\xfe\0", "d.md"))
    assert "This description cannot be shown. Download it instead." in text_of(
        session_of(alice).get(page_of(function))
    )


def test_a_long_description_may_end_within_a_letter(alice, session_of):
    function = function_with(alice, description=upload(b"x" + "é".encode() * 150_000, "d.md"))
    assert "xééé" in text_of(session_of(alice).get(page_of(function)))


def test_the_drawing_needs_no_style_and_has_titles(function, alice, session_of):
    content = session_of(alice).get(page_of(function)).content.decode()
    svg = content[content.index('<svg class="drawing ') : content.rindex('class="drawing-note"')]
    assert "style=" not in svg
    assert "<title>shared: model, optional</title>" in svg
    assert "Train. Inputs: opener, datasamples, shared. Outputs: model." in svg


def test_tasks_that_use_it(alice, session_of):
    dataset = make_dataset(alice)
    samples = make_samples(alice, dataset.key)
    function, other = make_function(alice), make_function(alice, name="Other")
    tasks = [training_task(dataset, samples, function) for _ in range(9)]
    make_plan(alice, *tasks, training_task(dataset, samples, other))
    response = session_of(alice).get(page_of(function))
    assert response.context["task_count"] == 9
    shown = [task.pk for task in response.context["tasks"]]
    assert len(shown) == 8
    assert set(shown) <= {task.key for task in tasks}
    assert f"{reverse('tasks')}?function_key={function.pk}" in text_of(response)


@pytest.mark.parametrize("count", [2, 20])
def test_queries_of_the_page(count, alice, session_of, django_assert_num_queries):
    dataset = make_dataset(alice)
    samples = make_samples(alice, dataset.key)
    outputs = [MODEL_OUTPUT, *(FunctionOutputSpec(f"m{n}", "ASSET_MODEL") for n in range(count))]
    function = function_with(alice, outputs=outputs)
    wanted = {output.identifier: OutputSpec(PUBLIC) for output in outputs}
    tasks = (training_task(dataset, samples, function, outputs=wanted) for _ in range(count))
    make_plan(alice, *tasks)
    browser = session_of(alice)
    # Tasks are counted if there are more than it shows.
    with django_assert_num_queries(QUERIES_OF_PAGE + (count > PREVIEW_ROWS)):
        browser.get(page_of(function))


@pytest.mark.parametrize("logs", [b"no module named train", b"", None])
def test_why_it_could_not_be_built(logs, alice, bob, session_of, django_assert_num_queries):
    function = function_with(alice)
    Function.objects.filter(pk=function.pk).update(status=FunctionStatus.FAILED)
    if logs is not None:
        make_failure(logs, function_id=function.pk, error_type=ErrorType.BUILD)
    browser, link = session_of(alice), reverse("api:logs-file", args=[function.pk])
    with django_assert_num_queries(QUERIES_OF_PAGE):
        message = text_of(browser.get(page_of(function)))
    assert "Why it failed" in message
    assert ("no module named train" in message) == bool(logs)
    assert "building the function failed" in message
    assert (link in message) == bool(logs)
    assert ("No failure report was sent." in message) == (logs is None)
    assert ("The failure report has no logs." in message) == (logs == b"")
    if logs:
        assert browser.get(link).getvalue() == logs
        message = text_of(session_of(bob).get(page_of(function)))
        assert link not in message
        assert "Only MyOrg1MSP can read the logs." in message
        assert "no module named train" not in message


@pytest.mark.parametrize("status", [FunctionStatus.WAITING, FunctionStatus.READY])
def test_what_has_not_failed_says_nothing_of_it(status, function, alice, session_of):
    Function.objects.filter(pk=function.pk).update(status=status)
    assert "Why it failed" not in text_of(session_of(alice).get(page_of(function)))


def test_the_function_as_code(function, alice, session_of):
    browser = session_of(alice)
    assert browser.get(page_of(function)).context["snippets"] == []
    (_, _, code), (_, _, curl) = browser.get(f"{page_of(function)}?code").context["snippets"]
    compile(code, "snippet", "exec")
    assert "identifier='opener',\n            kind=AssetKind.data_manager" in code
    assert '"datasamples": {\n      "kind": "ASSET_DATA_SAMPLE",\n      "multiple": true' in curl
    assert curl.startswith("curl http://testserver/api/function/ ")


# --- Files of the archive ------------------------------------------------------------------------


def test_files_are_listed_with_the_dockerfile_first(function, alice, session_of):
    response = session_of(alice).get(page_of(function))
    assert [file.name for file, _ in response.context["files"]] == [
        *("Dockerfile", "empty.txt", "function.py", "large.txt", "weights.bin", "src/util.py")
    ]
    text = text_of(response)
    # Highlighted as what it is.
    assert '<span class="k">FROM</span>' in text
    assert f'href="{file_url(function, "src/util.py")}"' in text
    assert "195.3\xa0KB" in text


MESSAGES = {
    "weights.bin": "This file is not text. Download the archive to open it.",
    "empty.txt": "This file is empty.",
    "large.txt": "This file is too large to show. Download the archive to read it.",
}


@pytest.mark.parametrize(("name", "message"), MESSAGES.items())
def test_files_that_are_not_shown_say_why(name, message, function, alice, session_of):
    response = session_of(alice).get(file_url(function, name))
    assert response.status_code == 200
    assert message in text_of(response)


@pytest.mark.parametrize("name", ["src/util.py", "function.py", "Dockerfile"])
def test_text_files_are_shown(name, function, alice, session_of):
    response = session_of(alice).get(file_url(function, name))
    assert response.context["file_text"] == FILES[name].decode()
    assert f'aria-current="true" hx-get="{file_url(function, name)}"' in text_of(response)


@pytest.mark.parametrize("name", ["nothing.py", "src", "src/", "./Dockerfile", "../function.py"])
def test_files_that_are_not_in_the_archive(name, function, alice, session_of):
    assert session_of(alice).get(f"{page_of(function)}files/{name}").status_code == 404


@pytest.mark.parametrize("name", ["a b.py", "a%2Fb?.py", "ü#.py", "a&b<c>.py", "-/x.py"])
def test_names_of_any_kind_have_an_address(name, alice, session_of):
    function = function_with(alice, tar_of({"Dockerfile": b"FROM x", name: b"found it"}))
    browser = session_of(alice)
    urls = {file.name: url for file, url in browser.get(page_of(function)).context["files"]}
    assert "found it" in text_of(browser.get(urls[name]))


def test_a_name_without_an_address_is_no_link(alice, session_of):
    function = function_with(alice, tar_of({"Dockerfile": b"FROM x", "a\nb": b"1"}))
    assert '<span class="mono">a\nb</span>' in text_of(session_of(alice).get(page_of(function)))


def test_archives_that_are_too_large_to_look_into(function, alice, session_of, monkeypatch):
    monkeypatch.setattr(preview, "MAX_SIZE_SEEN", 10)
    browser = session_of(alice)
    assert "The archive is too large to show. Download it" in text_of(
        browser.get(page_of(function))
    )
    response = browser.get(file_url(function, "function.py"))
    assert response.status_code == 200
    assert "archive is too large to show" in text_of(response)


def test_archives_with_too_many_files_to_list(alice, session_of, monkeypatch):
    monkeypatch.setattr(preview, "MAX_ENTRIES_SEEN", 2)
    function = function_with(alice, tar_of(FILES))
    browser = session_of(alice)
    assert "Only the first 2 files are shown" in text_of(browser.get(page_of(function)))
    response = browser.get(file_url(function, "large.txt"))
    assert response.status_code == 200
    assert "The archive is too large to find this file" in text_of(response)


def test_a_file_that_storage_has_lost(function, alice, session_of):
    function.archive.storage.delete(function.archive.name)
    function.description.storage.delete(function.description.name)
    browser = session_of(alice)
    assert browser.get(page_of(function)).status_code == 200
    assert browser.get(file_url(function, "function.py")).status_code == 200


# --- Its name ------------------------------------------------------------------------------------


def test_renaming(function, alice, session_of):
    response = session_of(alice).post(page_of(function, "function-rename"), {"name": "Fit"})
    assert (response.status_code, response.url) == (302, page_of(function))
    function.refresh_from_db()
    assert function.name == "Fit"


@pytest.mark.parametrize(
    ("who", "message"), [("victor", "Your role is viewer"), ("bob", "only its owner MyOrg1MSP")]
)
def test_who_may_not_rename_is_shown_why(who, message, function, session_of, request):
    browser = session_of(request.getfixturevalue(who))
    url = page_of(function, "function-rename")
    assert message.lower() in text_of(browser.get(url)).lower()
    assert browser.post(url, {"name": "Fit"}).status_code == 422
    function.refresh_from_db()
    assert function.name == "Train"

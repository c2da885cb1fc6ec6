"""What somebody hostile types, sends or registers: pages answer, soon, and run nothing of it."""

import io
import json
import tarfile
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assets.accounts.models import User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.tokens import create_token
from assets.accounts.registration.users import create_user
from assets.common.api.filters import MAX_WORDS
from assets.common.forms.formsets import MAX_ROWS
from assets.common.pages.lists import ListPage
from assets.common.pages.markdown import MAX_FOOTNOTES, markdown
from assets.common.text.reading import MAX_HIGHLIGHTED, MAX_LINE, highlight
from assets.compute.inputs import InputRef, grouped
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample
from assets.datasets.openers import MAX_PARSED, inspect_opener
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from assets.pages import urlpatterns
from tests.builders import (
    OPENER,
    OPENER_INPUT,
    SAMPLES_INPUT,
    make_aggregate,
    make_dataset,
    make_failure,
    make_function,
    make_model,
    make_one_of_each,
    make_plan,
    make_samples,
    set_status,
    training_task,
    upload,
    zip_of,
)
from tests.cast import PASSWORD

# What a URL needs besides its name, as the scene has it.
KINDS = ("dataset", "data-sample", "function", "compute-plan", "task")
LISTS = [
    pattern.name
    for pattern in urlpatterns
    if issubclass(getattr(pattern.callback, "view_class", object), ListPage)
]
# The second steps of signing in lead to the first.
OPEN_TO_ALL = {"sign-in", "sign-out", "set-password", "sign-in-code", "sign-in-enrol"}


def url_of(name: str, keys: dict[str, object]) -> str:
    """Return the URL of a page about what the scene has."""
    kind = next((kind for kind in KINDS if name == kind or name.startswith(f"{kind}-")), None)
    pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
    needs = set(pattern.pattern.converters)
    values = {"key": keys.get(kind, uuid4()), "name": "Dockerfile", "uidb64": "MQ", "token": "x-y"}
    values["pk"] = keys.get(name.partition("-")[0], uuid4())
    if name == "choices":
        values["name"] = "datasets"
    return reverse(name, kwargs={need: values[need] for need in needs})


# --- Who is let in --------------------------------------------------------------------------------

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


@pytest.fixture
def keys(alice):
    """One of each kind, all of them alice's."""
    assets = make_one_of_each(alice)
    return {
        **{name: asset.key for name, asset in assets.items()},
        "organization": alice.organization_id,
        "user": alice.pk,
    }


@pytest.mark.parametrize("method", METHODS)
def test_no_one_is_shown_anything(client, keys, method):
    for name in [pattern.name for pattern in urlpatterns if pattern.name not in OPEN_TO_ALL]:
        answer = getattr(client, method)(url_of(name, keys))
        to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in/?next=")
        assert to_sign_in or answer.status_code in (403, 404, 405), name


@pytest.mark.parametrize("who", ["", "alice", "root"])
def test_what_is_sent_from_elsewhere_is_refused(who, keys, root):
    browser = Client(enforce_csrf_checks=True)
    if who:
        browser.force_login(User.objects.get(username=who))
    for name in [pattern.name for pattern in urlpatterns]:
        assert browser.post(url_of(name, keys), {"name": "x"}).status_code == 403, name


# --- Lists ----------------------------------------------------------------------------------------

QUERIES = {
    "page before the first": "page=0",
    "page of no number": "page=-1&per_page=-1",
    "size of no number": f"per_page={'9' * 5000}",
    "the last day of all": "after=9999-12-31&before=9999-12-31&until=9999-12-31",
    "the first day of all": "after=0001-01-01&before=0001-01-01&since=0001-01-01",
    "more words than there are": f"q={'+'.join(f'a{n}' for n in range(900))}",
    "order that is none": "sort=--name&sort=-&sort=nosuch&sort=",
    "order without end": "&".join(["sort=name&sort=-name&sort=-key&sort=key"] * 600),
    "not UTF-8": "q=%ff%fe&owner=%ed%a0%80",
    "NUL": "q=%00&metadata=%00%3D%00&compute_plan_key=%00&tag=%00&actor=%00",
    "other digits": "page=%D9%A3&rank=%D9%A3",
    "numbers that no column holds": "rank=99999999999999999999&rank=-1",
    "export that ends soon": "export=csv&page=x&per_page=x&sort=--key",
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", QUERIES)
def test_list_answers_any_query(session_of, ada, name, query):
    answer = session_of(ada).get(f"{reverse(name)}?{QUERIES[query]}")
    assert answer.status_code == 200


def test_first_words_are_searched_for(session_of, alice):
    make_dataset(alice, name=" ".join("abcdefghij"))
    words = "+".join([*"abcdefghij"] * MAX_WORDS)
    page = session_of(alice).get(f"/datasets/?q={words}").content.decode()
    assert "a b c d e f g h i j</a>" in page


@pytest.mark.parametrize("name", LISTS)
def test_list_of_no_page_has_the_rows_of_the_first(session_of, ada, name):
    make_dataset(ada)
    page = session_of(ada).get(f"{reverse(name)}?page=-3&per_page=1").context["table"].page
    assert (page.number, page.size) == (1, 25)


# --- Forms ----------------------------------------------------------------------------------------


def rows_of(inputs: object, outputs: object = 1) -> dict[str, object]:
    return {
        "name": "x",
        "inputs-TOTAL_FORMS": inputs,
        "inputs-INITIAL_FORMS": 0,
        "outputs-TOTAL_FORMS": outputs,
        "outputs-INITIAL_FORMS": 0,
    }


@pytest.mark.parametrize("count", ["1000000", "-1", "", "many", "9" * 5000, "٣"])
@pytest.mark.parametrize("action", ["register", "add:inputs", "add:nosuch", "code", "refresh"])
def test_form_has_many_rows(session_of, alice, count, action):
    answer = session_of(alice).post("/functions/new/", {**rows_of(count), "action": action})
    assert answer.status_code in (200, 422)
    assert len(answer.context["form"].formsets["inputs"].forms) <= MAX_ROWS


def test_form_without_rows_answers(session_of, alice):
    assert session_of(alice).post("/functions/new/", {"name": "x"}).status_code == 422


def test_too_many_rows_are_refused(session_of, alice):
    answer = session_of(alice).post("/functions/new/", rows_of(MAX_ROWS + 1))
    assert f"A form takes at most {MAX_ROWS} rows" in answer.content.decode()


def test_form_like_a_large_function_says_what_it_left_out(session_of, alice):
    inputs = [FunctionInputSpec(f"in{n}", "ASSET_MODEL") for n in range(MAX_ROWS + 20)]
    function = make_function(alice, inputs=inputs)
    answer = session_of(alice).get(f"/functions/new/?like={function.key}")
    assert len(answer.context["form"].formsets["inputs"].forms) == MAX_ROWS
    assert f"Only the first {MAX_ROWS} of {len(inputs)} are shown" in answer.content.decode()


def test_kept_file_counts_once(session_of, alice):
    dataset, browser = make_dataset(alice), session_of(alice)
    file = SimpleUploadedFile("a.zip", zip_of({"a.csv": b"1"}))
    answer = browser.post("/uploads/data-sample/", {"file": file, "field": "archives"})
    kept = answer.context["upload"].pk
    browser.post("/data-samples/new/", {"datasets": dataset.key, "archives-staged": [kept] * 50})
    assert DataSample.objects.count() == 1


def test_kept_file_of_others_is_unknown(session_of, alice, bob):
    file = SimpleUploadedFile("secret-name.zip", zip_of({"a.csv": b"1"}))
    answer = session_of(alice).post("/uploads/data-sample/", {"file": file, "field": "archives"})
    kept = answer.context["upload"].pk
    for url, field in (("/data-samples/new/", "archives"), ("/functions/new/", "file")):
        for action in ("register", "code", "refresh"):
            sent = {f"{field}-staged": kept, "action": action}
            answer = session_of(bob).post(url, sent)
            assert b"secret-name" not in answer.content
            assert str(kept).encode() not in answer.content


DEEP = {
    "lists": "[" * 240 + "]" * 240,
    "tasks": '[{"inputs": ' + "[" * 200 + "]" * 200 + "}]",
    "a plan": '{"name": "x", "metadata": {"a": ' + "[" * 240 + "]" * 240 + '}, "tasks": []}',
    "no end": "[" * 100_000,
    "far": "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("text", DEEP)
@pytest.mark.parametrize("action", ["check", "view:json", "copy:0", "remove:0", "edit:0", "code"])
def test_json_that_is_nested_deeply_is_refused(session_of, alice, text, action):
    sent = {"name": "x", "tasks": DEEP[text], "action": action}
    answer = session_of(alice).post("/compute-plans/new/", sent)
    # As code one is shown what can be read, which is nothing.
    assert answer.status_code == (200 if action == "code" else 422)
    if action != "code":
        page = answer.content.decode()
        assert "This is not JSON" in page or "The JSON is nested too deeply" in page


@pytest.mark.parametrize("place", [2**64 - 1, 2**63, -5])
def test_what_was_removed_comes_back_anywhere(session_of, alice, place):
    sent = {"undo": json.dumps({"place": place, "task": {"tag": "back"}}), "action": "restore"}
    answer = session_of(alice).post("/compute-plans/new/", sent)
    assert answer.status_code == 200
    assert json.loads(answer.context["draft_text"]) == [{"tag": "back"}]


@pytest.mark.parametrize("name", ["datasets-search", "data_samples-search"])
def test_nul_is_searched_for_nowhere(session_of, alice, keys, name):
    for url in ("/data-samples/new/", "/data-samples/link/"):
        answer = session_of(alice).post(url, {name: "a\0b", "action": "refresh"})
        assert answer.status_code == 200


@pytest.mark.parametrize("field", ["task-worker", "task-in-0-search", "task-in-0", "task-tag"])
@pytest.mark.parametrize("action", ["refresh", "put", "register", "code"])
def test_nul_is_no_part_of_a_task(session_of, alice, field, action):
    function = make_aggregate(alice)
    sent = {"task-function": function.key, "task-key": uuid4(), "action": action, "name": "x"}
    sent |= {"task-worker": alice.organization_id, field: "a\0b"}
    for url in ("/compute-plans/new/", "/tasks/new/"):
        assert session_of(alice).post(url, sent).status_code in (200, 422)


# --- Texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[" * MAX_HIGHLIGHTED, "a|\n-|\n" * 9000, "*a**b" * 10_000])
def test_long_description_is_shown_unchanged(text):
    html = markdown(f"{text} <b>&")
    assert html.startswith('<pre class="code"')
    assert html.endswith("&lt;b&gt;&amp;</pre>")


@pytest.mark.parametrize("text", ["[^a]" * MAX_FOOTNOTES, "[^a]: x\n\n" + "[^" * 20_000])
def test_many_footnotes_are_not_repeated(text):
    assert "prose-fn" not in markdown(f"[^a]: x\n\n{text}")


@pytest.mark.parametrize("text", ["'\\N{" * MAX_LINE, "x = 1\n" * MAX_HIGHLIGHTED])
def test_long_code_is_shown_without_colours(text):
    html = highlight(f"{text}<b>", "python")
    assert "<span" not in html
    assert "<b>" not in html


def test_short_code_is_shown_in_colours():
    assert "<span" in highlight("x = 1\n" * 1000, "python")


def test_large_opener_is_not_parsed():
    assert "too large to check" in inspect_opener(b"a" * (MAX_PARSED + 1))[0].text


@pytest.mark.parametrize("codec", ["rot13", "idna", "zlib", "undefined", "../../x", "antigravity"])
def test_opener_in_a_strange_encoding_is_shown(codec):
    assert inspect_opener(f"# coding: {codec}\nimport os\n".encode())


def test_style_of_an_opener_is_nobodys_business(recwarn):
    inspect_opener(OPENER + b"'\\d'\n" * 100)
    assert not recwarn.list


# --- Markup ---------------------------------------------------------------------------------------

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
EVIL_TEXT = f"""# {EVIL}

{EVIL} <svg onload=alert(3)><a href="javascript:alert(4)">a</a> <style>*{{}}</style>

[a](javascript:alert(5)) [b](JAVASCRIPT:alert(6)) [c](data:text/html,<script>alert(7)</script>)
[d](java&#115;cript:alert(8)) <javascript:alert(9)> ![e](x" onerror="alert(10)) [f](vbscript:x)
[g](//elsewhere.example "\" onmouseover=\"alert(11)") [h]: x

```" onload="alert(12)
{EVIL}
```
"""
# What the frame of every page may load.
OURS = ("/static/", "/texts/")


class Marks(HTMLParser):
    """Collects what a browser would run, and what it would load from elsewhere."""

    URLS = ("href", "src", "action", "formaction", "xlink:href", "data", "poster", "hx-get")

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if tag in ("img", "iframe", "object", "embed", "style", "base", "math", "foreignobject"):
            self.found.append(f"<{tag}> {values}")
        # No browser runs a script of this type: it is data for ours.
        is_data = values.get("type") == "application/json"
        if tag == "script" and not is_data and not values.get("src", "").startswith(OURS):
            self.found.append(f"<script> {values}")
        for name, value in values.items():
            if name.startswith(("on", "hx-on")) or name == "style":
                self.found.append(f"<{tag} {name}={value}>")
            scheme = urlsplit("".join(value.split())).scheme if name in self.URLS else ""
            if scheme not in ("", "http", "https", "mailto", "tel"):
                self.found.append(f"<{tag} {name}={value}>")
            if name in ("hx-vals", "hx-headers"):
                json.loads(value)

    handle_startendtag = handle_starttag


def tar_with(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in names:
            content = EVIL_TEXT.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def evil(alice, ada, root):
    """Everything has a hostile name, and hostile texts."""
    metadata = {EVIL: EVIL, "javascript:x": "javascript:alert(1)"}
    text = OPENER + f"# {EVIL}\nx = {EVIL!r}\n".encode()
    description = upload(EVIL_TEXT.encode(), "description.md")
    dataset = make_dataset(
        alice,
        name=EVIL,
        type=EVIL,
        metadata=metadata,
        data_opener=upload(text, "opener.py"),
        description=description,
    )
    samples = make_samples(alice, dataset.key)
    names = ["Dockerfile", EVIL.replace("/", "") + ".html", "a b/\n/\u202egpj.py", "function.py"]
    function = make_function(
        alice,
        name=EVIL,
        metadata=metadata,
        description=upload(EVIL_TEXT.encode(), "description.md"),
        file=upload(tar_with(names), "f.tar.gz"),
        inputs=(OPENER_INPUT, SAMPLES_INPUT, FunctionInputSpec(EVIL, "ASSET_MODEL", True, True)),
        outputs=(
            FunctionOutputSpec("model", "ASSET_MODEL"),
            FunctionOutputSpec(EVIL, "ASSET_MODEL"),
        ),
    )
    first = training_task(dataset, samples, function, tag=EVIL, metadata=metadata)
    first.outputs[EVIL] = first.outputs["model"]
    second = training_task(dataset, samples, function, tag=EVIL)
    second.outputs[EVIL] = second.outputs["model"]
    second.inputs = grouped([*second.refs, InputRef(EVIL, None, first.key, EVIL)])
    plan = make_plan(alice, first, second, name=EVIL, tag=EVIL, metadata=metadata)
    make_model(first.key, EVIL)
    set_status([second.key], TaskStatus.FAILED)
    make_failure(EVIL_TEXT.encode(), task_id=second.key)
    create_organization("EvilMSP", name=EVIL)
    create_user("a@+-_.", organization=ada.organization)
    create_token_for(ada)
    create_token_for(alice)
    create_token_for(root)
    return {
        "dataset": dataset.key,
        "data-sample": samples[0].key,
        "function": function.key,
        "compute-plan": plan.key,
        "task": second.key,
        "organization": "EvilMSP",
        "user": alice.pk,
    }


def create_token_for(user):
    create_token(user, expires_at=timezone.now() + timedelta(hours=1), note=EVIL)


EXTRA = (
    "/search/?q=img",
    "/search/?q=%22%27%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/datasets/?q=%22%3E%3Cimg%20src=x%3E&owner=%22%3E%3Cimg%20src=x%3E&columns=metadata,name",
    "/functions/?metadata=%22%3E%3Cimg%20src=x%3E&columns=metadata,permissions",
    "/compute-plans/?tag=%22%3E%3Cscript%3E&columns=metadata,tag,name",
    "/tasks/?columns=metadata,tag&tag=%27%3E%3Cimg%20src=x%3E",
    "/activity/?actor=%22%3E%3Cimg%20src=x%3E&q=%22%3E%3Cimg%20src=x%3E",
    "/sign-in/?next=%22%3E%3Cimg%20src=x%3E",
    "/datasets/%22%3E%3Cimg%20src=x%3E/",
    "/organisations/%3Cimg%20src=x%20onerror=alert(1)%3E/",
    "/nowhere/%3Cscript%3Ealert(1)%3C/script%3E",
)


@pytest.mark.parametrize("who", ["ada", "root", "bob"])
def test_nothing_registered_runs_on_a_page(session_of, evil, request, who):
    browser = session_of(request.getfixturevalue(who))
    urls = [url_of(pattern.name, evil) for pattern in urlpatterns]
    kinds = {"dataset": "dataset", "function": "function", "compute-plan": "compute-plan"}
    urls += [f"{url_of(f'{name}-new', {})}?like={evil[kind]}" for name, kind in kinds.items()]
    urls += [f"/tasks/new/?like={evil['task']}", f"/tasks/new/?function={evil['function']}"]
    urls += [f"{url_of(kind, evil)}?code" for kind in KINDS]
    urls += [f"/tasks/?compute_plan_key={evil['compute-plan']}&function_key={evil['function']}"]
    urls += EXTRA
    shown = 0
    for url in urls:
        answer = browser.get(url)
        html = answer.content.decode()
        if answer.get("Content-Type", "").startswith("text/html"):
            assert not Marks(html).found, url
            shown += "&lt;img src=x" in html
    assert shown > 15


FORMS = ("dataset-new", "function-new", "data-sample-new", "compute-plan-new", "task-new")


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("action", ["register", "refresh", "code", "check", "add:inputs", "put"])
def test_nothing_typed_runs_on_its_page(session_of, evil, alice, name, action):
    sent = dict.fromkeys(("name", "type", "tag", "metadata", "paths", "key", "view"), EVIL)
    sent |= {f"{field}-search": EVIL for field in ("datasets", "function", "task-in-2")}
    sent |= {"tasks": json.dumps([{"function_key": EVIL, "worker": EVIL, "tag": EVIL}])}
    sent |= {"permissions-authorized_ids": EVIL, "archives-staged": EVIL, "undo": EVIL}
    sent |= {"task-function": evil["function"], "task-key": uuid4(), "task-in-2": EVIL}
    sent |= {"task-tag": EVIL, "task-worker": EVIL, "task-place": EVIL, "task-body": EVIL}
    sent |= {**rows_of(2), "inputs-0-identifier": EVIL, "inputs-1-identifier": EVIL}
    sent |= {"action": action}
    answer = session_of(alice).post(reverse(name), sent)
    assert answer.status_code in (200, 422)
    assert not Marks(answer.content.decode()).found


@pytest.mark.parametrize("kind", ["opener", "description", "data-sample", "function"])
@pytest.mark.parametrize(
    "name", [EVIL, "../../etc/passwd", "a\nb.zip", "x" * 300, "\u202egpj.zip", "a\\b", "e\u0301"]
)
def test_nothing_in_a_file_name_runs(session_of, alice, kind, name):
    for content in (b"x", zip_of({"Dockerfile": b"FROM a", "f.py": b""})):
        sent = {"file": SimpleUploadedFile(name, content), "field": EVIL}
        answer = session_of(alice).post(reverse(f"upload-{kind}"), sent)
        assert answer.status_code in (200, 422)
        assert not Marks(answer.content.decode()).found


# --- What clients say of themselves ---------------------------------------------------------------


@pytest.mark.parametrize("codec", ["rot13", "idna", "undefined", "zlib"])
@pytest.mark.parametrize("who", ["", "alice"])
def test_encoding_that_no_text_has_is_refused(client, session_of, alice, codec, who):
    browser = session_of(alice) if who else client
    kind = f"multipart/form-data; boundary=x; charset={codec}"
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    for url in ("/sign-in/", "/datasets/new/", "/uploads/opener/"):
        assert browser.generic("POST", url, body, content_type=kind).status_code == 400
        assert browser.get(url, CONTENT_TYPE=kind).status_code == 400


@pytest.mark.parametrize("address", ["http://[evil", "//evil.example", "javascript:alert(1)", "x"])
def test_part_of_a_page_at_no_address_leads_to_sign_in(client, address):
    headers = {"HX-Request": "true", "HX-Current-URL": address}
    answer = client.get("/datasets/", headers=headers)
    assert answer["HX-Redirect"] == "/sign-in/?next=%2F"


ELSEWHERE = (
    *(
        "//evil.example",
        "///evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "\t//evil.example",
    ),
    *("javascript:alert(1)", "https:evil.example", "http:///evil.example", "/\n/evil.example"),
    *("https://testserver@evil.example", " //evil.example", "data:text/html,x"),
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_one_is_led_elsewhere(client, session_of, alice, url):
    given = {"username": "alice", "password": PASSWORD, "next": url}
    assert client.post("/sign-in/", given)["Location"] == "/"
    assert session_of(alice).get("/sign-in/", {"next": url})["Location"] == "/"
    answer = session_of(alice).post("/choices/datasets/", {"next": url})
    assert answer["Location"].startswith("/datasets/?")

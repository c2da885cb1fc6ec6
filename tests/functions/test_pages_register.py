"""The page that registers a function: what it holds, what it says, and what comes of it."""

import json
from html import unescape
from typing import Any

import pytest
from django.db.models import Model
from django.urls import reverse

from assets.feed.models import Event
from assets.functions.models import Function
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec
from assets.uploads.models import Upload
from tests.admin.interface import files, flags, metadata, permissions, rows, slot
from tests.builders import (
    CODE,
    MODEL_INPUT,
    MODEL_OUTPUT,
    MODELS_INPUT,
    OPENER_INPUT,
    PERFORMANCE_OUTPUT,
    PUBLIC,
    SAMPLES_INPUT,
    function_spec,
    make_function,
    only_to,
    tar_of,
    upload,
    wire_function,
    zip_of,
)

NEW = reverse("function-new")
UPLOAD = reverse("upload-function")
PAIR = (OPENER_INPUT, SAMPLES_INPUT)


def typed(spec: FunctionSpec, **changes: Any) -> dict[str, Any]:
    """What a person sends who registers this: the pair by its box, where it comes first."""
    has_pair = tuple(spec.inputs[:2]) == PAIR
    return {
        "name": spec.name,
        "metadata": metadata(spec.metadata),
        **flags(on_dataset=has_pair),
        **permissions("permissions", spec.permissions),
        **files(file=spec.file, description=spec.description),
        **rows("inputs", (slot(item) for item in spec.inputs[2 if has_pair else 0 :])),
        **rows("outputs", (slot(item) for item in spec.outputs)),
        **changes,
    }


def bytes_of(stored: Any) -> bytes:
    with stored.open() as file:
        return file.read()


def text_of(response) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def browser(alice, session_of):
    return session_of(alice)


# --- Who may -------------------------------------------------------------------------------------


def test_the_page_offers_the_form(browser):
    response = browser.get(NEW)
    assert response.status_code == 200
    text = text_of(response)
    for part in (
        'name="on_dataset"',
        "model: the output of another task",
        "data sample: the data",
        "dataset: the opener that reads the data",
        "performance: one number, visible to every organisation",
        'value="add:inputs"',
        'value="add:outputs"',
        f'data-upload-url="{UPLOAD}"',
        f'data-upload-url="{reverse("upload-description")}"',
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("who", "message"), [("victor", "your role is viewer"), ("root", "no organ")]
)
def test_who_may_not_is_shown_why(who, message, session_of, request):
    browser = session_of(request.getfixturevalue(who))
    response = browser.get(NEW)
    assert response.status_code == 200
    assert message in text_of(response).lower()
    assert 'name="on_dataset"' not in text_of(response)
    assert browser.post(NEW, typed(function_spec())).status_code == 422
    assert not Function.objects.exists()


def test_other_methods(browser):
    assert browser.put(NEW).status_code == 405
    assert browser.get(UPLOAD).status_code == 405


def test_queries_of_the_form(browser, django_assert_num_queries):
    with django_assert_num_queries(QUERIES_OF_FORM):
        browser.get(NEW)


QUERIES_OF_FORM = 3

# --- What is registered --------------------------------------------------------------------------

SPECS = {
    "everything": {},
    "no inputs and outputs": {"inputs": (), "outputs": ()},
    "the pair only": {"inputs": PAIR},
    "no pair": {"inputs": (MODELS_INPUT,)},
    "the pair the other way round": {"inputs": (SAMPLES_INPUT, OPENER_INPUT)},
    "the pair under other names": {
        "inputs": (
            FunctionInputSpec("reader", "ASSET_DATA_MANAGER"),
            FunctionInputSpec("data", "ASSET_DATA_SAMPLE", multiple=True, optional=True),
        )
    },
    "the pair at the end": {"inputs": (MODEL_INPUT, *PAIR)},
    "outputs": {
        "outputs": (
            PERFORMANCE_OUTPUT,
            MODEL_OUTPUT,
            FunctionOutputSpec("all", "ASSET_MODEL", multiple=True),
        )
    },
    "public": {"permissions": PUBLIC},
    "to some": {"permissions": only_to("MyOrg2MSP")},
    "metadata": {"metadata": {"a": "b", "c:d": "é", "empty": ""}},
    "a tar": {"file": upload(tar_of(CODE), "function.tar.gz")},
}


def kept_of(function: Function) -> dict[str, Any]:
    """All that is kept of a function, but for its key and when it was."""

    def columns(row: Model, *without: str) -> dict[str, Any]:
        return {
            field.attname: getattr(row, field.attname)
            for field in row._meta.concrete_fields
            if field.name not in without
        }

    own = columns(function, "key", "creation_date", "archive", "description")
    (event,) = Event.objects.filter(asset_key=function.key)
    return {
        **own,
        "files": [
            (str(file).replace(str(function.key), "KEY"), bytes_of(file))
            for file in (function.archive, function.description)
        ],
        "inputs": [columns(row, "id", "function") for row in function.inputs.all()],
        "outputs": [columns(row, "id", "function") for row in function.outputs.all()],
        "event": columns(event, "id", "asset_key", "timestamp"),
    }


@pytest.mark.parametrize("changes", SPECS.values(), ids=SPECS)
def test_the_page_and_the_api_register_the_same(changes, alice, bob, browser, client_of):
    spec = function_spec(**changes)
    response = browser.post(NEW, typed(spec))
    assert response.status_code == 302, response.context["form"].all_errors()
    by_page = Function.objects.get()
    assert response.url == reverse("function", args=[by_page.pk])
    for file in (spec.file, spec.description):
        file.seek(0)
    answer = client_of(alice).post("/api/function/", wire_function(spec))
    by_api = Function.objects.get(pk=answer.json()["key"])
    kept = kept_of(by_page)
    assert kept == kept_of(by_api)
    assert len(kept["inputs"]) == len(spec.inputs)


def test_the_page_says_so(browser):
    response = browser.post(NEW, typed(function_spec()), follow=True)
    assert "Registered Train." in text_of(response).replace("<strong>", "").replace("</strong>", "")


# --- What is wrong -------------------------------------------------------------------------------

WRONG_ARCHIVES = {
    "a way out": (zip_of({"../Dockerfile": b"FROM x", "function.py": b""}), "unsafe path. Use"),
    "no Dockerfile": (zip_of({"function.py": b"", "b": b""}), "no Dockerfile at its root"),
    "a Dockerfile below": (
        zip_of({"x/Dockerfile": b"FROM x", "x/f.py": b""}),
        "There is one at x/Dockerfile. Archive the contents of that folder.",
    ),
    "a Dockerfile only": (zip_of({"Dockerfile": b"FROM x"}), "Add the function's code."),
    "no archive": (b"FROM x", "Put the files into a .zip or .tar.gz, even if there is only one."),
}


@pytest.mark.parametrize(("archive", "message"), WRONG_ARCHIVES.values(), ids=WRONG_ARCHIVES)
def test_a_wrong_archive_costs_nothing_else(archive, message, alice, bob, browser):
    spec = function_spec(permissions=only_to("MyOrg2MSP"), metadata={"ward": "7"})
    response = browser.post(NEW, typed(spec, file=upload(archive, "wrong.zip")))
    assert response.status_code == 422
    form = response.context["form"]
    ((where, label, text),) = form.all_errors()
    assert (where, label) == ("id_file", "Archive")
    assert message in text
    page = text_of(response)
    for kept in ('value="Train"', 'value="shared"', 'value="model"', '{"ward": "7"}'):
        assert kept in page, kept
    assert form["on_dataset"].value()
    # The description is there still, and the archive is not.
    (waiting,) = Upload.objects.all()
    assert (waiting.name, waiting.user) == ("description.md", alice)
    assert f'name="description-staged" value="{waiting.pk}"' in page
    assert not Function.objects.exists()
    # Now the archive alone is sent again.
    again = typed(spec, **{"description-staged": str(waiting.pk)})
    del again["description"]
    assert browser.post(NEW, again).status_code == 302
    function = Function.objects.get()
    assert bytes_of(function.description) == bytes_of(spec.description)
    assert not Upload.objects.exists()


WRONG_ROWS = {
    "twice": ([MODEL_INPUT, MODEL_INPUT], "rows-inputs", "occurs 2 times. Rename one"),
    "twice, by the box": ([*PAIR, OPENER_INPUT], "rows-inputs", '"opener" occurs 2 times'),
    "no kind": ([FunctionInputSpec("a", "ASSET_X")], "id_inputs-0-kind", "Invalid kind"),
    "no name": (
        [FunctionInputSpec(" ", "ASSET_MODEL", True)],
        "id_inputs-0-identifier",
        "Cannot be blank",
    ),
    "a lone opener": ([OPENER_INPUT], "rows-inputs", "needs a data sample input. Add one"),
}


@pytest.mark.parametrize(("inputs", "where", "message"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_errors_of_rows_are_at_the_row(inputs, where, message, browser):
    response = browser.post(NEW, typed(function_spec(inputs=inputs)))
    assert response.status_code == 422
    errors = response.context["form"].all_errors()
    assert {place for place, _, _ in errors} == {where}
    assert any(message in text for _, _, text in errors)
    assert text_of(response).count(f'id="{where}"') == 1
    # Both files wait, since neither was at fault.
    assert {upload.name for upload in Upload.objects.all()} == {"function.zip", "description.md"}


def test_all_that_is_wrong_is_shown_at_once(browser):
    response = browser.post(NEW, {**rows("inputs", []), **rows("outputs", [{"kind": "x"}])})
    places = {where for where, _, _ in response.context["form"].all_errors()}
    assert places == {
        *("id_name", "id_file", "id_description"),
        *("id_outputs-0-identifier", "id_outputs-0-kind"),
    }


# --- Rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inputs", "outputs"])
def test_a_row_is_added_without_scripts(name, browser):
    response = browser.post(NEW, typed(function_spec(), action=f"add:{name}"))
    assert response.status_code == 200
    form = response.context["form"]
    assert len(form.formsets[name].forms) == 2
    assert not form.all_errors()
    text = text_of(response)
    assert f'name="{name}-1-identifier"' in text
    for kept in ('value="Train"', 'value="shared"', 'value="model"', 'name="file-staged"'):
        assert kept in text, kept
    assert form["on_dataset"].value()
    assert not Function.objects.exists()


def test_rows_are_removed_and_put_in_order(browser):
    items = [
        slot(item) for item in (MODEL_INPUT, MODELS_INPUT, FunctionInputSpec("x", "ASSET_MODEL"))
    ]
    items[0] |= {"ORDER": 3}
    items[1] |= {"ORDER": 1, "DELETE": "on"}
    items[2] |= {"ORDER": 2}
    browser.post(NEW, typed(function_spec(), **rows("inputs", items)))
    identifiers = [row.identifier for row in Function.objects.get().inputs.all()]
    assert identifiers == ["opener", "datasamples", "x", "shared"]


# --- Live checks ---------------------------------------------------------------------------------

LIVE = {
    "a name": ("name", {"name": "n" * 101}, "101 characters"),
    "metadata": ("metadata", {"metadata": "a__b: c"}, "__"),
    "an identifier": ("inputs-0-identifier", {"inputs-0-identifier": "i" * 101}, "101 characters"),
    "an identifier of the pair": (
        "inputs-0-identifier",
        {"inputs-0-identifier": "opener"},
        'The identifier "opener" occurs 2 times. Rename one.',
    ),
    "an output": (
        "outputs-0-identifier",
        {"outputs-0-identifier": "\x07"},
        "U+0007, which is not allowed. Remove it",
    ),
}


@pytest.mark.parametrize(("name", "changes", "message"), LIVE.values(), ids=LIVE)
def test_fields_are_checked_while_one_edits(name, changes, message, browser):
    data = typed(function_spec(), live=name)
    del data["file"], data["description"]
    fine, wrong = browser.post(NEW, data), browser.post(NEW, {**data, **changes})
    assert [fine.status_code, wrong.status_code] == [200, 200]
    assert "invalid-feedback" not in text_of(fine)
    assert message in text_of(wrong)
    # Only the field is answered.
    assert f'id="div_id_{name}"' in text_of(wrong)
    assert "<html" not in text_of(wrong)
    assert not Upload.objects.exists()


# --- Like another one, and as code ---------------------------------------------------------------

LIKE = {
    "the pair": (PAIR, True, []),
    "the pair and more": ((*PAIR, MODEL_INPUT), True, ["shared"]),
    "no pair": ((MODELS_INPUT,), False, ["models"]),
    "the other way round": ((SAMPLES_INPUT, OPENER_INPUT), False, ["datasamples", "opener"]),
    "at the end": ((MODEL_INPUT, *PAIR), False, ["shared", "opener", "datasamples"]),
    "one sample": (
        (OPENER_INPUT, FunctionInputSpec("datasamples", "ASSET_DATA_SAMPLE")),
        False,
        ["opener", "datasamples"],
    ),
}


@pytest.mark.parametrize(("inputs", "ticked", "others"), LIKE.values(), ids=LIKE)
def test_like_another_one(inputs, ticked, others, alice, browser):
    function = make_function(alice, inputs=inputs, metadata={"a": "b"}, permissions=PUBLIC)
    form = browser.get(f"{NEW}?like={function.pk}").context["form"]
    assert (form["name"].value(), form["on_dataset"].value()) == ("Train", ticked)
    assert form["permissions"].value().public
    assert form["metadata"].value() == "a: b"
    # A blank row is there when no other is.
    assert [row["identifier"].value() or "" for row in form.formsets["inputs"].forms] == others or [
        ""
    ]
    # Sent unchanged, with files, it registers such a function.
    sent = {
        "name": form["name"].value(),
        "metadata": "a: b",
        **flags(on_dataset=ticked),
        **permissions("permissions", PUBLIC),
        **files(file=upload(zip_of(CODE), "f.zip"), description=upload(b"# x", "d.md")),
    }
    for formset in form.formsets.values():
        sent |= {
            f"{formset.prefix}-TOTAL_FORMS": len(formset.forms),
            f"{formset.prefix}-INITIAL_FORMS": formset.initial_form_count(),
        }
        for row in formset.forms:
            for field in row:
                if field.name != "DELETE" and field.value() not in (False, None):
                    sent[field.html_name] = field.value()
    assert browser.post(NEW, sent).status_code == 302
    other = Function.objects.exclude(pk=function.pk).get()
    for name in ("inputs", "outputs"):
        columns = ("identifier", "kind", "multiple", "position")
        assert list(getattr(other, name).values_list(*columns)) == list(
            getattr(function, name).values_list(*columns)
        )


@pytest.mark.parametrize("like", ["", "nonsense", "01234567-0123-4123-8123-0123456789ab"])
def test_like_none(like, browser):
    form = browser.get(f"{NEW}?like={like}").context["form"]
    assert form.initial == {}


def test_the_form_as_code(browser):
    response = browser.post(NEW, typed(function_spec(metadata={"a": "b"}), action="code"))
    assert response.status_code == 200
    (_, _, sdk), (_, _, curl) = response.context["snippets"]
    assert not Function.objects.exists()
    values: dict[str, Any] = {}
    body = sdk.split("\n\n", 1)[1].partition("\n")[2]
    exec(body, _stand_ins(values))  # noqa: S102  our own code, in a test
    assert values == {
        "name": "Train",
        "file": "function.zip",
        "description": "description.md",
        "inputs": [
            ("opener", "ASSET_DATA_MANAGER", False, False),
            ("datasamples", "ASSET_DATA_SAMPLE", True, False),
            ("shared", "ASSET_MODEL", False, True),
        ],
        "outputs": [("model", "ASSET_MODEL", False)],
        "permissions": {"public": False, "authorized_ids": []},
        "metadata": {"a": "b"},
    }
    sent = json.loads(curl[curl.index("json=") + 5 : curl.index("}' ") + 1])
    assert list(sent["inputs"]) == ["opener", "datasamples", "shared"]
    assert sent["outputs"] == {"model": {"kind": "ASSET_MODEL", "multiple": False}}
    assert "-F file=@function.zip" in curl
    # The files that came with the form wait for it.
    assert Upload.objects.count() == 2


def _stand_ins(values: dict[str, Any]) -> dict[str, Any]:
    """What the SDK brings, as far as the code uses it."""

    class Kinds:
        model, performance = "ASSET_MODEL", "ASSET_PERFORMANCE"
        data_manager, data_sample = "ASSET_DATA_MANAGER", "ASSET_DATA_SAMPLE"

    class Client:
        def add_function(self, spec: dict[str, Any]) -> None:
            values.update(spec)

    def an_input(identifier, kind, multiple, optional):
        return identifier, kind, multiple, optional

    def an_output(identifier, kind, multiple):
        return identifier, kind, multiple

    names = {"AssetKind": Kinds, "FunctionInputSpec": an_input, "FunctionOutputSpec": an_output}
    return {**names, "FunctionSpec": dict, "Permissions": dict, "client": Client()}


def test_code_of_a_form_that_is_not_finished(browser):
    response = browser.post(
        NEW, {"action": "code", "name": "x'", **rows("inputs", [{"kind": "y"}])}
    )
    assert response.status_code == 200
    (_, _, sdk), _ = response.context["snippets"]
    compile(sdk, "snippet", "exec")
    assert "AssetKind.y" not in sdk
    assert not response.context["form"].all_errors()


# --- Archives ahead of their form ----------------------------------------------------------------

ADVICE = {
    "fine": ({"Dockerfile": b"FROM x\nENTRYPOINT y", "f.py": b""}, ""),
    "an argument first": ({"Dockerfile": b"ARG v\n from x:$v\n cmd y", "f.R": b""}, ""),
    "no code": ({"Dockerfile": b"FROM x\nCMD y", "notes.txt": b""}, "contains no code"),
    "no FROM": ({"Dockerfile": b"# FROM x\nFROMAGE", "f.py": b""}, "has no FROM"),
    "no ENTRYPOINT": ({"Dockerfile": b"FROM x\n", "f.py": b""}, "has no ENTRYPOINT"),
    "hidden": ({"Dockerfile": b"FROM x\nCMD y", "f.py": b"", ".env": b""}, "files: .env."),
    "no text": ({"Dockerfile": b"\0", "f.py": b""}, "is not text"),
}


@pytest.mark.parametrize(("content", "message"), ADVICE.values(), ids=ADVICE)
@pytest.mark.parametrize("archived", [zip_of, tar_of])
def test_an_archive_is_kept_with_advice(archived, content, message, browser):
    archive = archived(content)
    response = browser.post(UPLOAD, {"field": "file", "file": upload(archive, "f.zip")})
    assert response.status_code == 200
    (waiting,) = Upload.objects.all()
    assert bytes_of(waiting.file) == archive
    text = text_of(response)
    assert f'name="file-staged" value="{waiting.pk}"' in text
    assert ('class="advice"' in text) == bool(message)
    assert message in text


# Without a Dockerfile: what it is, and what to do.
LAYOUTS = {
    "other case": (["dockerfile", "f.py"], "Rename dockerfile to Dockerfile"),
    "Notepad's": (["Dockerfile.txt", "f.py"], "Rename Dockerfile.txt to Dockerfile"),
    "Podman's": (["Containerfile", "f.py"], "Rename Containerfile to Dockerfile"),
    "in a folder": (["a/Dockerfile", "a/f.py"], "There is one at a/Dockerfile. Archive"),
    "in a folder, in other case": (
        ["a/DOCKERFILE", "a/f.py"],
        "Rename a/DOCKERFILE to Dockerfile, and archive",
    ),
    "Flower": (["pyproject.toml", "app/client.py", ".info/CONTENT"], "a Flower App Bundle"),
    "FEDn": (["fedn.yaml", "train.py"], "next to fedn.yaml, then run"),
    "FEDn, in a folder": (["client/fedn.yaml", "client/train.py"], "next to client/fedn.yaml"),
    "NVFlare": (["meta.json", "app/config/config_fed_server.json"], "a job of NVIDIA FLARE"),
    "NVFlare, in a folder": (
        ["job/meta.conf", "job/app_1/config/config_fed_client.conf"],
        "next to job/meta.conf",
    ),
    "OpenFL": ([".workspace", "plan/plan.yaml", "requirements.txt", "src/a.py"], "of OpenFL"),
    "nothing known": (["config/plan.yaml", "f.py"], "Add one that builds the image"),
}


@pytest.mark.parametrize(("names", "message"), LAYOUTS.values(), ids=LAYOUTS)
def test_what_an_archive_without_a_dockerfile_is_and_lacks(names, message, browser):
    def answer(**more: bytes) -> Any:
        archive = zip_of({**dict.fromkeys(names, b""), **more})
        return browser.post(UPLOAD, {"field": "file", "file": upload(archive, "f.zip")})

    response = answer()
    assert response.status_code == 422
    assert message in text_of(response)
    # With a Dockerfile beside their files, all of them register, and nothing is hidden in them.
    response = answer(Dockerfile=b"FROM x\nCMD y")
    assert response.status_code == 200
    assert "hidden files" not in text_of(response)


@pytest.mark.parametrize(("archive", "message"), WRONG_ARCHIVES.values(), ids=WRONG_ARCHIVES)
def test_a_wrong_archive_is_not_kept(archive, message, browser):
    response = browser.post(UPLOAD, {"field": "file", "file": upload(archive, "wrong.zip")})
    assert response.status_code == 422
    assert message in text_of(response)
    assert not Upload.objects.exists()


def test_viewers_keep_nothing(victor, session_of):
    data = {"field": "file", "file": upload(zip_of(CODE), "f.zip")}
    assert session_of(victor).post(UPLOAD, data).status_code == 422
    assert not Upload.objects.exists()

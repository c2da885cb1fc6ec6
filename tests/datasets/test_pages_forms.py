"""The pages that register, rename and link: the same rows as through the API, and what they say."""

import json
from uuid import UUID

import pytest

from assets.datasets.models import DataSample, Dataset
from assets.datasets.snippets import sample_snippets
from assets.datasets.specs import DataSampleSpec
from assets.feed.models import Event
from assets.permissions.specs import PermissionsSpec
from tests.builders import (
    OPENER,
    PRIVATE,
    PUBLIC,
    dataset_spec,
    make_dataset,
    make_samples,
    only_to,
    upload,
    wire_dataset,
    wire_samples,
    zip_of,
)

A, B = "MyOrg1MSP", "MyOrg2MSP"
DATASETS, SAMPLES, LINK = "/datasets/new/", "/data-samples/new/", "/data-samples/link/"


@pytest.fixture
def browser(alice, session_of):
    return session_of(alice)


def typed(spec) -> dict:
    """Return a dataset as typed into the form."""

    def permissions(name: str, value: PermissionsSpec) -> dict:
        public = {f"{name}-public": "on"} if value.public else {}
        return {**public, f"{name}-authorized_ids": list(value.authorized_ids)}

    return {
        "name": spec.name,
        "type": spec.type,
        "metadata": json.dumps(spec.metadata),
        "data_opener": spec.data_opener,
        "description": spec.description,
        **permissions("permissions", spec.permissions),
        **permissions("logs_permission", spec.logs_permission),
    }


def facts(row) -> dict:
    """Return the columns of a row but those that are its own."""
    own = {"key", "creation_date", "opener", "description", "archive"}
    columns = [field.attname for field in row._meta.concrete_fields]
    events = Event.objects.filter(asset_key=row.pk).values_list(
        "action", "organization_id", "actor_id", "asset_kind", "asset_name", "detail"
    )
    found = {name: getattr(row, name) for name in columns if name not in own}
    return {**found, "events": list(events)}


class TestTheSameRowsAsThroughTheApi:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"permissions": PUBLIC, "logs_permission": PUBLIC},
            {"permissions": only_to(B), "logs_permission": only_to(A, B)},
            {"name": "  Été \N{SNOWMAN} ", "metadata": {"a:b": "1", "c": ""}},
            {"name": "x" * 100, "metadata": {}},
        ],
    )
    def test_dataset(self, changes, alice, org_b, browser, client_of):
        def spec():
            opener = upload(OPENER, "opener.py")
            # Forms cut the blanks around a name off; programs mean them.
            return dataset_spec(data_opener=opener, **{**changes, **names})

        names = {"name": changes.get("name", "Blood").strip()}
        response = browser.post(DATASETS, typed(spec()))
        assert response.status_code == 302, response.context["form"].all_errors()
        by_page = Dataset.objects.get()
        assert response.url == f"/datasets/{by_page.pk}/"
        response = client_of(alice).post("/api/data_manager/", wire_dataset(spec()))
        assert response.status_code == 201
        by_api = Dataset.objects.get(pk=response.json()["key"])
        assert facts(by_page) == facts(by_api)

    def test_data_samples(self, alice, browser, client_of):
        datasets = [make_dataset(alice), make_dataset(alice, name="Others")]

        def spec():
            archives = {
                f"part-{n}": upload(zip_of({"a.csv": b"%d" % n}), f"{n}.zip") for n in range(3)
            }
            return DataSampleSpec([dataset.key for dataset in datasets], archives)

        response = browser.post(
            SAMPLES,
            {
                "datasets": [str(dataset.pk) for dataset in datasets],
                "archives": list(spec().archives.values()),
            },
        )
        assert response.status_code == 302
        by_page = list(DataSample.objects.all())
        answer = client_of(alice).post("/api/data_sample/", wire_samples(spec()))
        by_api = DataSample.objects.filter(pk__in=[UUID(row["key"]) for row in answer.json()])
        assert len(by_page) == len(by_api) == 3

        def values_of(samples) -> list:
            found = [
                (facts(row), sorted(link.dataset_id for link in row.links.all())) for row in samples
            ]
            return sorted(found, key=lambda item: item[0]["checksum"])

        assert values_of(by_page) == values_of(by_api)

    def test_folders(self, alice, browser, client_of, settings):
        root = settings.SERVERMEDIAS_ROOT / A
        for name in ("p1", "p2"):
            (root / "patients" / name).mkdir(parents=True)
            (root / "patients" / name / "data.csv").write_text(name)
        dataset = make_dataset(alice)
        data = {"datasets": [str(dataset.pk)], "paths": "patients\n", "multiple": "on"}
        assert browser.post(SAMPLES, data).status_code == 302
        by_page = {sample.path: facts(sample) for sample in DataSample.objects.all()}
        body = {"data_manager_keys": [str(dataset.pk)], "paths": [str(root / "patients")]}
        answer = client_of(alice).post(
            "/api/data_sample/", {**body, "multiple": True}, format="json"
        )
        keys = [row["key"] for row in answer.json()]
        by_api = {row.path: facts(row) for row in DataSample.objects.filter(pk__in=keys)}
        assert len(by_page) == 2
        assert by_page == by_api

    def test_what_is_hidden_is_left_out_and_listed(self, alice, browser, client_of, settings):
        folder = settings.SERVERMEDIAS_ROOT / A / "patients"
        for name in ("p1/a", "p2/a", ".snapshot/a", "@eaDir/a", ".DS_Store"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        keys = [str(make_dataset(alice).pk)]
        data = {"datasets": keys, "paths": "patients\n", "multiple": "on"}
        html = browser.post(SAMPLES, data, follow=True).content.decode()
        assert "Registered 2 data samples. Hidden files are left out: .DS_Store, " in html
        body = {"data_manager_keys": keys, "paths": ["patients"], "multiple": True}
        answer = client_of(alice).post("/api/data_sample/", body, format="json")
        assert len(answer.json()) == 2
        assert answer["X-Left-Out"] == ".DS_Store, .snapshot, %40eaDir"
        assert "X-Left-Out" not in client_of(alice).post(
            "/api/data_sample/",
            {**body, "paths": ["patients/p1"], "multiple": False},
            format="json",
        )

    def test_hidden_files_of_an_archive_are_named(self, browser):
        file = upload(zip_of({"a.csv": b"1", "__MACOSX/._a.csv": b"2"}), "s.zip")
        answer = browser.post("/uploads/data-sample/", {"file": file, "field": "archives"})
        assert answer.status_code == 200
        assert "The archive has hidden files: __MACOSX/._a.csv. " in answer.content.decode()


class TestEveryForm:
    URLS = (DATASETS, SAMPLES, LINK)

    @pytest.mark.parametrize("url", URLS)
    def test_members_see_it(self, url, browser):
        response = browser.get(url)
        assert response.status_code == 200
        assert "data-spec-form" in response.content.decode()

    @pytest.mark.parametrize("url", URLS)
    @pytest.mark.parametrize(
        ("who", "why"), [("victor", "role is viewer"), ("root", "no organisa")]
    )
    def test_who_may_not_is_shown_why(self, url, who, why, request, session_of, alice):
        browser = session_of(request.getfixturevalue(who))
        for response in (browser.get(url), browser.post(url, {"name": "x"})):
            html = response.content.decode()
            assert why in html
            assert "data-spec-form" not in html

    @pytest.mark.parametrize("url", URLS)
    def test_strangers_and_other_methods(self, url, client, browser):
        assert client.get(url).status_code == client.post(url).status_code == 302
        assert browser.put(url).status_code == 405

    @pytest.mark.parametrize("url", URLS)
    def test_all_that_is_missing_is_listed_at_once(self, url, browser):
        response = browser.post(url)
        assert response.status_code == 422
        assert len(response.context["form"].all_errors()) >= (4 if url == DATASETS else 1)
        assert "summary-of-errors" in response.content.decode()
        assert not Dataset.objects.exists()

    @pytest.mark.parametrize("url", URLS)
    @pytest.mark.parametrize("count", [2, 20])
    def test_statements_do_not_grow(self, url, count, alice, browser, django_assert_num_queries):
        for number in range(count):
            make_samples(alice, make_dataset(alice, name=f"d{number}").pk)
        # Session and user; organisations for all pickers, or rows of each picker.
        with django_assert_num_queries({DATASETS: 3, SAMPLES: 3, LINK: 5}[url]):
            browser.get(url)


class TestDataset:
    def test_registered_is_confirmed(self, browser):
        spec = dataset_spec(name="<b>Scans</b>", data_opener=upload(OPENER, "o.py"))
        html = browser.post(DATASETS, typed(spec), follow=True).content.decode()
        assert "Registered <strong>&lt;b&gt;Scans&lt;/b&gt;</strong>." in html

    def test_errors_are_tied_to_their_fields(self, browser):
        spec = dataset_spec(name="é" * 51, metadata={"a__b": "1"}, data_opener=upload(b""))
        response = browser.post(DATASETS, typed(spec))
        html = response.content.decode()
        for field, message in (
            ("name", "they take 102 bytes of UTF-8"),
            ("metadata", "&quot;__&quot; cannot be used"),
            ("data_opener", "The file is empty"),
        ):
            block = html.split(f'id="div_id_{field}"')[1].split('id="div_id_')[0]
            assert message in block
            assert 'class="invalid-feedback"' in block
        # What was typed is still there.
        assert "é" * 51 in html
        assert "a__b" in html

    def test_organisations_that_do_not_exist(self, browser):
        spec = dataset_spec(permissions=only_to("Unknown"), data_opener=upload(OPENER))
        response = browser.post(DATASETS, typed(spec))
        [error] = response.context["form"].errors["permissions"]
        assert 'no organisation is called "Unknown"' in error
        assert "no organisation is called &quot;Unknown&quot;" in response.content.decode()

    @pytest.mark.parametrize(
        ("count", "message"), [(60, " and 55 more."), (3000, "3000 organisations, at most 100")]
    )
    def test_of_many_organisations_a_refusal_names_a_few(self, count, message, browser):
        spec = dataset_spec(
            permissions=only_to(*(f"{number:04}" * 100 for number in range(count))),
            data_opener=upload(OPENER),
        )
        answer = browser.post(DATASETS, typed(spec))
        [error] = answer.context["form"].errors["permissions"]
        assert message in error
        assert len(error) < 1000
        assert answer.content.count(b"0059" * 100) == 0

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("name", "", "Cannot be blank"),
            ("name", "Fine", ""),
            ("type", "x" * 101, "must be between 0 and 100"),
            ("metadata", '{"a__b": "1"}', "cannot be used in a metadata key"),
            ("metadata", "{", "This is not JSON"),
            ("metadata", "a: 1\na: 2", "already used"),
        ],
    )
    def test_a_field_is_checked_while_one_edits(self, field, value, message, browser):
        response = browser.post(DATASETS, {field: value, "live": field})
        html = response.content.decode()
        assert response.status_code == 200
        assert html.count('id="div_id_') == 1
        assert f'id="div_id_{field}"' in html
        assert ("invalid-feedback" in html) == bool(message)
        assert message in html
        assert not Dataset.objects.exists()

    def test_a_live_check_of_no_field(self, browser):
        assert browser.post(DATASETS, {"live": "nope"}).content.strip() == b""

    def test_like_another_one(self, alice, bob, session_of):
        like = make_dataset(
            alice, name="Blood", permissions=only_to(B), logs_permission=PUBLIC, metadata={"a": "b"}
        )
        form = session_of(bob).get(f"{DATASETS}?like={like.pk}").context["form"]
        assert form["name"].value() == "Blood"
        assert form["metadata"].value() == "a: b"
        assert form["permissions"].value() == only_to(B).owned_by(A)
        assert form["logs_permission"].value().public

    @pytest.mark.parametrize("key", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
    def test_like_nothing(self, key, browser):
        assert browser.get(f"{DATASETS}?like={key}").context["form"]["name"].value() is None

    def test_as_code(self, browser):
        response = browser.post(DATASETS, {**typed(dataset_spec()), "action": "code"})
        html = response.content.decode()
        assert "opener.py" in html
        assert "add_dataset" in html
        assert "curl http://testserver/api/data_manager/" in html
        assert not response.context["form"].errors
        assert not Dataset.objects.exists()

    @pytest.mark.parametrize(
        ("paths", "named"),
        [
            (["a/scan.zip", "b/scan.tar.gz", "c.zip"], "'scan'"),
            (["a\\x/", "b/x", "b/x/y"], "'x'"),
            (["a/scan.zip", "b/scan2.zip"], ""),
        ],
    )
    def test_code_warns_of_folders_that_the_sdk_confuses(self, paths, named, rf):
        sdk, curl = sample_snippets(["k"], paths, rf.get("/"), upload=True)
        compile(sdk[2], "snippet", "exec")
        assert ("the last one only" in sdk[2]) == bool(named)
        assert named in sdk[2]
        assert curl[2].count("=@") == len(paths)
        # Folders on the server are sent as they are.
        assert "last one" not in sample_snippets(["k"], paths, rf.get("/"), upload=False)[0][2]


class TestRename:
    @pytest.fixture
    def dataset(self, alice) -> Dataset:
        return make_dataset(alice, name="Old")

    def url(self, key) -> str:
        return f"/datasets/{key}/rename/"

    def test_it_works(self, dataset, browser):
        assert browser.get(self.url(dataset.pk)).context["form"]["name"].value() == "Old"
        response = browser.post(self.url(dataset.pk), {"name": "New"})
        assert response.url == f"/datasets/{dataset.pk}/"
        dataset.refresh_from_db()
        assert dataset.name == "New"
        assert "before: Old" in browser.get(response.url).content.decode()

    @pytest.mark.parametrize("name", ["", "x" * 101, "a\0b"])
    def test_a_name_that_cannot_be(self, name, dataset, browser):
        response = browser.post(self.url(dataset.pk), {"name": name})
        assert response.status_code == 422
        assert "name" in response.context["form"].errors

    @pytest.mark.parametrize("who", ["victor", "bob", "root"])
    def test_only_members_of_the_owner(self, who, dataset, request, session_of):
        browser = session_of(request.getfixturevalue(who))
        for response in (
            browser.get(self.url(dataset.pk)),
            browser.post(self.url(dataset.pk), {"name": "New"}),
        ):
            assert "data-spec-form" not in response.content.decode()
        dataset.refresh_from_db()
        assert dataset.name == "Old"

    def test_missing(self, browser):
        assert browser.get(self.url("nonsense")).status_code == 404


def test_a_private_dataset_is_the_default(browser):
    data = {**typed(dataset_spec(data_opener=upload(OPENER, "o.py")))}
    assert browser.post(DATASETS, data).status_code == 302
    assert Dataset.objects.get().permissions.value == PRIVATE.owned_by(A)

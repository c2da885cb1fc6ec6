"""The pages of one dataset and of one data sample."""

from uuid import uuid4

import pytest
from django.core.files.storage import default_storage

from assets.datasets.pages.datasets import PREVIEW_ROWS
from tests.builders import (
    PRIVATE,
    PUBLIC,
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    only_to,
    training_task,
    upload,
)

A, B, C = "MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"
OPENER = b"class Reader:\n    def get_data(self): ...\n"


def page(browser, kind: str, asset, query: str = "") -> str:
    response = browser.get(f"/{kind}/{asset.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def dataset(alice, org_b, org_c):
    return make_dataset(
        alice,
        name="Blood counts",
        data_opener=upload(OPENER, "opener.py"),
        permissions=only_to(B),
        logs_permission=PRIVATE,
        metadata={"ward": "7", "blank": ""},
    )


@pytest.fixture
def sample(alice, dataset):
    return make_samples(alice, dataset.pk)[0]


def test_who_may_use_it_stands_by_the_name(dataset, alice, session_of):
    heading = page(session_of(alice), "datasets", dataset).partition("page-heading")[2]
    assert f"{A}, {B}" in heading.partition('class="actions"')[0]


@pytest.mark.parametrize("kind", ["datasets", "data-samples"])
class TestEveryPage:
    @pytest.mark.parametrize("who", ["alice", "ada", "victor", "bob", "carol", "root"])
    def test_everybody_sees_what_is_registered(
        self, kind, who, dataset, sample, request, session_of
    ):
        asset = dataset if kind == "datasets" else sample
        html = page(session_of(request.getfixturevalue(who)), kind, asset)
        assert str(asset.pk) in html
        assert "registered" in html

    @pytest.mark.parametrize("key", [uuid4(), "nonsense", "0"])
    def test_missing(self, kind, key, alice, session_of):
        response = session_of(alice).get(f"/{kind}/{key}/")
        assert response.status_code == 404
        assert str(key) in response.content.decode()

    def test_strangers_and_other_methods(self, kind, dataset, sample, client, alice, session_of):
        asset = dataset if kind == "datasets" else sample
        assert client.get(f"/{kind}/{asset.pk}/").status_code == 302
        # A POST has a runner look at a data sample again, which this one does not need.
        status = 405 if kind == "datasets" else 422
        assert session_of(alice).post(f"/{kind}/{asset.pk}/").status_code == status

    @pytest.mark.parametrize("who", ["alice", "victor", "bob", "root"])
    def test_only_members_of_the_owner_are_offered_to_change_it(
        self, kind, who, dataset, sample, request, session_of
    ):
        asset = dataset if kind == "datasets" else sample
        html = page(session_of(request.getfixturevalue(who)), kind, asset)
        change = f"new/?dataset={asset.pk}" if kind == "datasets" else f"link/?sample={asset.pk}"
        assert (change in html) == (who == "alice")
        assert (f"?like={asset.pk}" in html) == (who in ("alice", "bob"))

    @pytest.mark.parametrize("count", [2, 20])
    def test_statements_do_not_grow(
        self, kind, count, alice, dataset, session_of, django_assert_num_queries
    ):
        samples = make_samples(alice, dataset.pk, count=count)
        for number in range(count // 2):
            more = make_dataset(alice, name=f"d{number}")
            session_of(alice).post(
                "/data-samples/link/",
                {"datasets": [str(more.pk)], "data_samples": [str(samples[0].pk)]},
            )
        function = make_function(alice)
        tasks = (training_task(dataset, samples[:2], function) for _ in range(count))
        make_plan(alice, *tasks)
        browser = session_of(alice)
        asset = dataset if kind == "datasets" else samples[0]
        # Both of its lists are counted if there are more rows than it shows.
        more = 2 * (count > PREVIEW_ROWS)
        with django_assert_num_queries(7 + more if kind == "datasets" else 6 + more):
            page(browser, kind, asset)


class TestFiles:
    """What is in the files of a dataset is for those who may download them."""

    @pytest.mark.parametrize(
        ("who", "may"),
        [("alice", True), ("victor", True), ("bob", True), ("carol", False), ("root", False)],
    )
    def test_content(self, who, may, dataset, request, session_of):
        response = session_of(request.getfixturevalue(who)).get(f"/datasets/{dataset.pk}/")
        # Nothing is even read for those who may not see it.
        assert (response.context["opener_text"] is not None) == may
        assert (response.context["description_text"] is not None) == may
        html = response.content.decode()
        assert ("Reader" in html) == may
        assert ('<h3 id="prose-measurements">Measurements</h3>' in html) == may
        assert (f"/api/data_manager/{dataset.pk}/opener/" in html) == may
        # What the files are is shown to everyone.
        assert dataset.opener_checksum in html
        assert dataset.description_checksum in html

    def test_why_not(self, dataset, carol, root, session_of):
        html = page(session_of(carol), "datasets", dataset)
        assert f"Only {A}, {B} can download this, and you act for {C}." in html
        assert "you belong to none" in page(session_of(root), "datasets", dataset)

    @pytest.mark.parametrize(
        ("description", "shown", "hidden"),
        [
            ("<script>alert(1)</script>", "&lt;script&gt;", "<script>alert"),
            ("[x](javascript:alert(1))", "[x]", "href="),
            ("![x](https://else.where/y.png)", "<p>[Image: x]</p>", "<img"),
            ("**Été**", "<strong>Été</strong>", "**"),
        ],
    )
    def test_descriptions_act_in_no_way(self, description, shown, hidden, alice, session_of):
        file = upload(description.encode(), "notes.md")
        html = page(session_of(alice), "datasets", make_dataset(alice, description=file))
        prose = html.split('class="prose"')[1].split("</section>")[0]
        assert shown in prose
        assert hidden not in prose

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\0b"])
    def test_what_is_no_text(self, content, alice, session_of):
        dataset = make_dataset(alice, data_opener=upload(content, "opener.py"))
        assert "This file is not text. Download it" in page(session_of(alice), "datasets", dataset)

    @pytest.mark.parametrize(
        ("line", "codec"), [("# -*- coding: latin-1 -*-", "latin-1"), ("# coding=cp1251", "cp1251")]
    )
    def test_what_its_coding_line_says(self, line, codec, alice, session_of):
        text = f"{line}\n# ±\n"
        dataset = make_dataset(alice, data_opener=upload(text.encode(codec), "opener.py"))
        assert "# ±" in page(session_of(alice), "datasets", dataset)

    @pytest.mark.parametrize("line", ["# coding: punycode", "# coding: none-such", "coding: ascii"])
    def test_what_its_coding_line_cannot_say(self, line, alice, session_of):
        dataset = make_dataset(alice, data_opener=upload(f"{line}\n".encode() + b"\xb1"))
        assert "This file is not text. Download it" in page(session_of(alice), "datasets", dataset)

    def test_a_long_text_is_cut_between_characters(self, alice, session_of):
        # An odd number before letters of two bytes: the limit falls in the middle of one.
        dataset = make_dataset(alice, description=upload(b"x" + "é".encode() * 150_000))
        assert "xéé" in page(session_of(alice), "datasets", dataset)

    def test_a_file_that_is_gone(self, alice, dataset, session_of):
        default_storage.delete(dataset.opener.name)
        assert "This file is not text" in page(session_of(alice), "datasets", dataset)


class TestDataset:
    def test_who_may_what(self, dataset, bob, session_of):
        response = session_of(bob).get(f"/datasets/{dataset.pk}/")
        table = [
            (organization.pk, owner, may) for organization, owner, may in response.context["access"]
        ]
        assert table == [
            (A, True, [True, True]),
            (B, False, [True, False]),
            (C, False, [False, False]),
        ]
        assert response.context["uses"] == ["Process and download", "Read logs"]

    def test_samples_and_tasks(self, alice, dataset, session_of):
        samples = make_samples(alice, dataset.pk, count=10)
        function = make_function(alice, name="Train deeply")
        plan = make_plan(alice, training_task(dataset, samples[:1], function), name="Trial")
        response = session_of(alice).get(f"/datasets/{dataset.pk}/")
        assert (response.context["sample_count"], len(response.context["samples"])) == (10, 8)
        assert [task.compute_plan for task in response.context["tasks"]] == [plan]
        html = response.content.decode()
        assert "Train deeply" in html
        assert f"?dataset_key={dataset.pk}" in html

    def test_metadata_and_activity(self, dataset, session_of, alice):
        html = page(session_of(alice), "datasets", dataset)
        assert '<dt>ward</dt><dd class="as-written">7</dd>' in html
        assert '<dt>blank</dt><dd class="as-written">(empty)</dd>' in html
        assert "alice (MyOrg1MSP)" in html

    def test_as_code(self, dataset, session_of, carol):
        html = page(session_of(carol), "datasets", dataset, "?code")
        assert "DatasetSpec" in html
        assert "curl http://testserver/api/data_manager/" in html
        assert "DatasetSpec" not in page(session_of(carol), "datasets", dataset)

    def test_names_are_texts(self, alice, session_of):
        dataset = make_dataset(alice, name="<b>x</b>", type="<i>", metadata={"<u>": "<s>"})
        html = page(session_of(alice), "datasets", dataset, "?code")
        assert not any(tag in html for tag in ("<b>x", "<i>", "<u>", "<s>"))


class TestSample:
    def test_its_datasets_and_tasks(self, alice, dataset, session_of):
        other = make_dataset(alice, name="Others")
        [sample] = make_samples(alice, dataset.pk, other.pk)
        make_samples(alice, dataset.pk)
        make_plan(alice, training_task(dataset, [sample], make_function(alice)), name="Trial")
        response = session_of(alice).get(f"/data-samples/{sample.pk}/")
        assert set(response.context["datasets"]) == {dataset, other}
        assert response.context["task_count"] == 1
        html = response.content.decode()
        assert f'href="/datasets/{other.pk}/"' in html
        assert "Trial" in html
        assert f"?data_sample_key={sample.pk}" in html

    @pytest.mark.parametrize(
        ("who", "is_shown"),
        [("alice", True), ("victor", True), ("bob", False), ("carol", False), ("root", False)],
    )
    def test_what_it_holds_is_shown_to_its_owner(
        self, who, is_shown, request, alice, session_of, settings
    ):
        dataset = make_dataset(alice, permissions=PUBLIC)
        [sample] = make_samples(alice, dataset.pk)
        html = page(session_of(request.getfixturevalue(who)), "data-samples", sample)
        assert (sample.checksum in html) == is_shown
        assert ("Only MyOrg1MSP can see the content" in html) != is_shown
        assert "cannot be downloaded" in html

    @pytest.mark.parametrize(("who", "is_shown"), [("alice", True), ("bob", False)])
    def test_where_a_folder_lies(self, who, is_shown, request, alice, session_of, settings):
        folder = settings.SERVERMEDIAS_ROOT / A / "patients" / "p1"
        folder.mkdir(parents=True)
        (folder / "data.csv").write_text("1")
        dataset = make_dataset(alice, permissions=PUBLIC)
        session_of(alice).post(
            "/data-samples/new/", {"datasets": [str(dataset.pk)], "paths": "patients/p1"}
        )
        sample = dataset.data_samples.get()
        html = page(session_of(request.getfixturevalue(who)), "data-samples", sample, "?code")
        assert (str(folder) in html) == is_shown
        assert "folder on the server" in html
        assert "local=False" in html

    def test_an_upload_as_code(self, alice, sample, dataset, session_of):
        html = page(session_of(alice), "data-samples", sample, "?code")
        assert "DataSampleSpec" in html
        assert "sample-1=@sample.zip" in html
        assert html.count(str(dataset.pk)) >= 2

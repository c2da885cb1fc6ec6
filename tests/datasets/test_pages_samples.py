"""The pages that register data samples and add them to further datasets."""

import re
from zipfile import ZipFile

import pytest
from django.urls import reverse

from assets.datasets.models import DataSample, DataSampleLink, Dataset
from assets.feed.models import Event
from tests.builders import make_dataset, make_samples, upload, zip_of

A = "MyOrg1MSP"
SAMPLES, LINK = "/data-samples/new/", "/data-samples/link/"


@pytest.fixture
def browser(alice, session_of):
    return session_of(alice)


class TestSamples:
    @pytest.fixture
    def dataset(self, alice) -> Dataset:
        return make_dataset(alice, name="Blood")

    def ticked(self, response, field: str = "datasets") -> list[str]:
        return [str(key) for key in response.context["form"][field].value() or ()]

    def test_a_dataset_is_chosen_by_the_address(self, dataset, browser):
        html = browser.get(f"{SAMPLES}?dataset={dataset.pk}").content.decode()
        assert f'value="{dataset.pk}" checked' in html

    def test_those_of_others_are_not_offered(self, bob, browser):
        theirs = make_dataset(bob, name="Theirs")
        html = browser.get(f"{SAMPLES}?dataset={theirs.pk}").content.decode()
        assert f'value="{theirs.pk}"' not in html

    def test_like_another_one(self, alice, dataset, browser):
        [sample] = make_samples(alice, dataset.pk)
        assert self.ticked(browser.get(f"{SAMPLES}?like={sample.pk}")) == [str(dataset.pk)]

    def test_where_it_leads_and_what_it_says(self, dataset, browser):
        for count, message in ((1, "Registered 1 data sample."), (2, "Registered 2 data samples.")):
            archives = [upload(zip_of({"a": b"%d" % n}), f"{n}.zip") for n in range(count)]
            data = {"datasets": [str(dataset.pk)], "archives": archives}
            response = browser.post(SAMPLES, data, follow=True)
            assert response.redirect_chain[-1][0].endswith(f"/?dataset_key={dataset.pk}")
            html = response.content.decode()
            assert message in html
            # Samples have no names: which file became which is shown once.
            reported = re.findall(
                r'(\d)\.zip: <a class="mono" href="/data-samples/([^/]+)/">', html
            )
            assert [name for name, _ in reported] == [str(n) for n in range(count)]
            for name, key in reported:
                sample = DataSample.objects.get(pk=key)
                with sample.archive.open() as file, ZipFile(file) as archive:
                    assert archive.read("a") == name.encode()

    def test_files_and_folders_at_once(self, dataset, browser):
        archive = upload(zip_of({"a": b"1"}), "a.zip")
        data = {"datasets": [str(dataset.pk)], "archives": [archive], "paths": "here"}
        response = browser.post(SAMPLES, data)
        assert "Cannot be combined with files" in response.context["form"].errors["paths"][0]

    @pytest.mark.parametrize("path", ["..", "/etc", "nowhere"])
    def test_folders_that_are_none(self, path, dataset, browser, settings):
        (settings.SERVERMEDIAS_ROOT / A).mkdir(parents=True)
        response = browser.post(SAMPLES, {"datasets": [str(dataset.pk)], "paths": path})
        assert response.status_code == 422
        assert response.context["form"].errors["paths"]

    def test_as_code(self, dataset, browser):
        data = {"datasets": [str(dataset.pk)], "action": "code"}
        archive = upload(zip_of({"a": b"1"}), "first.zip")
        by_file = browser.post(SAMPLES, {**data, "archives": [archive]}).content.decode()
        assert "first.zip" in by_file
        assert str(dataset.pk) in by_file
        by_path = browser.post(SAMPLES, {**data, "paths": "here"}).content.decode()
        assert "local=False" in by_path

    def test_a_search_without_scripts_judges_nothing(self, alice, dataset, browser):
        make_dataset(alice, name="Scans")
        response = browser.post(SAMPLES, {"datasets-search": "scan", "action": "refresh"})
        html = response.content.decode()
        assert response.status_code == 200
        assert "Scans (" in html
        assert "Blood (" not in html
        assert not response.context["form"].errors

    def test_a_search_while_one_types(self, alice, dataset, browser):
        make_dataset(alice, name="Scans")
        data = {"datasets-search": "scan", "datasets": [str(dataset.pk)], "paths": "x"}
        response = browser.post(SAMPLES, {**data, "live": "datasets", "picker": "yes"})
        html = response.content.decode()
        assert html.count('type="checkbox"') == 2
        assert f'value="{dataset.pk}" checked' in html
        # Not even when nothing is chosen yet is searching the time to say so.
        search = {"datasets-search": "scan", "live": "datasets"}
        assert "invalid-feedback" in browser.post(SAMPLES, search).content.decode()
        found = browser.post(SAMPLES, {**search, "picker": "yes"}).content.decode()
        assert "invalid-feedback" not in found


class TestLink:
    @pytest.fixture
    def datasets(self, alice) -> list[Dataset]:
        return [make_dataset(alice, name=name) for name in ("first", "second")]

    def send(self, browser, samples, datasets):
        data = {
            "data_samples": [str(sample.pk) for sample in samples],
            "datasets": [str(dataset.pk) for dataset in datasets],
        }
        return browser.post(LINK, data)

    def test_each_to_each(self, alice, browser, datasets):
        samples = make_samples(alice, datasets[0].pk, count=2)
        response = self.send(browser, samples, datasets)
        lists = {f"{reverse('data-samples')}?dataset_key={dataset.pk}" for dataset in datasets}
        assert response.url in lists
        assert DataSampleLink.objects.count() == 4

    def test_one_leads_back_to_itself(self, alice, browser, datasets):
        samples = make_samples(alice, datasets[0].pk)
        response = self.send(browser, samples, datasets[1:])
        assert response.url == f"/data-samples/{samples[0].pk}/"

    def test_the_same_event_as_through_the_api(self, alice, browser, client_of, datasets):
        samples = make_samples(alice, datasets[0].pk, count=2)
        self.send(browser, samples[:1], datasets[1:])
        client_of(alice).post(
            "/api/data_sample/bulk_update/",
            {"data_manager_keys": [datasets[1].pk], "data_sample_keys": [samples[1].pk]},
        )
        by_page, by_api = (
            list(
                Event.objects.filter(asset_key=sample.pk).values(
                    "action", "organization", "actor", "asset_kind", "asset_name", "detail"
                )
            )
            for sample in samples
        )
        assert by_page == by_api
        assert len(by_page) == 2

    def test_chosen_by_the_address(self, alice, browser, datasets):
        samples = make_samples(alice, datasets[0].pk, count=2)
        query = f"?sample={samples[0].pk}&sample=nonsense&dataset={datasets[1].pk}"
        html = browser.get(f"{LINK}{query}").content.decode()
        assert html.count(" checked") == 2
        assert f'value="{samples[0].pk}" checked' in html

    def test_thousands_are_not_all_rendered(self, alice, browser, datasets):
        samples = make_samples(alice, datasets[0].pk, count=120)
        html = browser.get(f"{LINK}?sample={samples[0].pk}").content.decode()
        assert html.count('name="data_samples" value=') == 101
        assert "The newest 100 are shown" in html

    def test_what_belongs_to_others_is_not_linked(self, bob, browser, datasets):
        samples = make_samples(bob, make_dataset(bob).pk)
        assert self.send(browser, samples, datasets).status_code == 422
        assert DataSampleLink.objects.count() == 1

    def test_nothing_is_chosen(self, browser):
        response = browser.post(LINK)
        assert "data_samples" in response.context["form"].errors

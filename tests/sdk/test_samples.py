"""Data samples: add one or many, from here or on the server, link, get, list."""

import pytest

from .refusals import refused, unknown_key
from .specs import PRIVATE, keys_of, unique

pytestmark = pytest.mark.sdk


@pytest.fixture
def dataset(alice, specs) -> str:
    """A dataset of Alice's that no other test adds to."""
    return alice.add_dataset(specs.dataset())


class TestAddOne:
    def test_add_data_sample(self, alice, bob, specs, dataset):
        key = alice.add_data_sample(specs.sample(dataset))
        found = bob.get_data_sample(key)
        assert found.pop("creation_date").endswith("Z")
        assert found == {
            "key": key,
            "owner": "MyOrg1MSP",
            "data_manager_keys": [dataset],
            "path": None,
        }
        assert alice.get_dataset(dataset)["data_sample_keys"] == [key]

    def test_to_several_datasets(self, alice, specs, dataset):
        second = alice.add_dataset(specs.dataset())
        key = alice.add_data_sample(specs.sample(dataset, second))
        assert set(alice.get_data_sample(key)["data_manager_keys"]) == {dataset, second}

    def test_with_an_option_that_only_newer_sdks_know(self, alice, specs, dataset):
        key = alice.add_data_sample(specs.sample(dataset, followlinks=True))
        assert alice.get_dataset(dataset)["data_sample_keys"] == [key]

    def test_in_place(self, sdk, alice, dataset):
        folder = sdk.folder_on_server("MyOrg1MSP", unique("ward"), **{"data.csv": b"1;2\n"})
        spec = {"path": str(folder), "data_manager_keys": [dataset]}
        key = alice.add_data_sample(spec, local=False)
        assert alice.get_data_sample(key)["data_manager_keys"] == [dataset]
        assert (folder / "data.csv").read_bytes() == b"1;2\n"

    def test_keys_of_no_dataset_are_refused(self, alice, specs, bob):
        with refused("InvalidRequest", "missing or empty field 'data_manager_keys'"):
            alice.add_data_sample(specs.sample())
        with refused("InvalidRequest", "datamanager", "not found"):
            alice.add_data_sample(specs.sample(unknown_key()))

    def test_others_add_nothing(self, bob, victor, specs, dataset):
        with refused("AuthorizationError", "MyOrg1MSP", "MyOrg2MSP"):
            bob.add_data_sample(specs.sample(dataset))
        with refused("AuthorizationError", "viewer"):
            victor.add_data_sample(specs.sample(dataset))

    def test_an_empty_folder_is_refused(self, alice, specs, dataset):
        with refused("InvalidRequest", "archive is empty"):
            alice.add_data_sample(specs.sample(dataset, path=specs.folder()))


class TestRefusedInPlace:
    def refuse(self, alice, dataset, path, phrase):
        with refused("InvalidRequest", "OE0101", phrase):
            alice.add_data_sample({"path": str(path), "data_manager_keys": [dataset]}, local=False)

    def test_outside_of_the_servers_folder(self, alice, specs, dataset):
        self.refuse(alice, dataset, specs.sample_folder(), "is not below your organisation's")

    def test_of_another_organisation(self, sdk, alice, dataset):
        folder = sdk.folder_on_server("MyOrg2MSP", unique("ward"), **{"data.csv": b"1"})
        self.refuse(alice, dataset, folder, "is not below your organisation's")

    def test_missing(self, sdk, alice, dataset):
        missing = sdk.server.home / "servermedias" / "MyOrg1MSP" / unique("missing")
        self.refuse(alice, dataset, missing, "is not a folder")

    def test_empty(self, sdk, alice, dataset):
        folder = sdk.folder_on_server("MyOrg1MSP", unique("empty"))
        self.refuse(alice, dataset, folder, "is an empty folder")


class TestAddMany:
    def test_more_than_a_hundred_folders_in_one_call(self, alice, specs, dataset):
        paths = [specs.sample_folder(b"%d\n" % number) for number in range(120)]
        added = alice.add_data_samples(specs.sample(dataset, paths=paths))
        assert len(set(added)) == 120
        assert set(alice.get_dataset(dataset)["data_sample_keys"]) == set(added)
        # More than a page of them.
        listed = alice.list_data_sample({"dataset_key": [dataset]})
        assert sorted(keys_of(listed)) == sorted(added)

    def test_in_place_and_linked_in_one_form(self, sdk, alice, specs, dataset):
        """More fields than the thousand that Django accepts by default."""
        ward = unique("ward")
        paths = [
            str(sdk.folder_on_server("MyOrg1MSP", f"{ward}/{number}", data=b"%d" % number))
            for number in range(1000)
        ]
        added = alice.add_data_samples(specs.sample(dataset, paths=paths), local=False)
        assert len(set(added)) == 1000
        second = alice.add_dataset(specs.dataset())
        assert alice.link_dataset_with_data_samples(second, added) == added
        assert set(alice.get_dataset(second)["data_sample_keys"]) == set(added)

    def test_all_or_none(self, alice, specs, dataset):
        paths = [specs.sample_folder(), specs.folder()]
        with refused("InvalidRequest", "archive is empty"):
            alice.add_data_samples(specs.sample(dataset, paths=paths))
        assert alice.get_dataset(dataset)["data_sample_keys"] == []


class TestLink:
    def test_link_dataset_with_data_samples(self, alice, specs, dataset):
        samples = [alice.add_data_sample(specs.sample(dataset)) for _ in range(2)]
        second = alice.add_dataset(specs.dataset())
        # Linking again changes nothing.
        for keys in (samples[:1], samples):
            assert alice.link_dataset_with_data_samples(second, keys) == keys
        assert alice.get_dataset(second)["data_sample_keys"] == samples
        assert alice.get_dataset(dataset)["data_sample_keys"] == samples
        assert set(alice.get_data_sample(samples[0])["data_manager_keys"]) == {dataset, second}

    def test_refused(self, alice, bob, victor, specs, dataset):
        mine = alice.add_data_sample(specs.sample(dataset))
        his = bob.add_dataset(specs.dataset())
        with refused("AuthorizationError", "MyOrg2MSP"):
            alice.link_dataset_with_data_samples(his, [mine])
        with refused("AuthorizationError", "MyOrg1MSP"):
            bob.link_dataset_with_data_samples(his, [mine])
        with refused("AuthorizationError", "viewer"):
            victor.link_dataset_with_data_samples(dataset, [mine])
        with refused("NotFound", "OE0002", "datamanager"):
            alice.link_dataset_with_data_samples(unknown_key(), [mine])
        with refused("NotFound", "OE0002", "datasample"):
            alice.link_dataset_with_data_samples(dataset, [mine, unknown_key()])
        with refused("InvalidRequest", "data_sample_keys"):
            alice.link_dataset_with_data_samples(dataset, [])
        assert bob.get_dataset(his)["data_sample_keys"] == []


class TestGet:
    @pytest.mark.parametrize("key", [unknown_key(), "no-key"], ids=["unknown", "malformed"])
    def test_not_found(self, alice, key):
        with refused("NotFound"):
            alice.get_data_sample(key)


class TestList:
    def test_newest_first_or_oldest_first(self, alice, specs, dataset):
        added = [alice.add_data_sample(specs.sample(dataset)) for _ in range(3)]
        of_dataset = {"dataset_key": [dataset]}
        assert keys_of(alice.list_data_sample(of_dataset)) == added[::-1]
        assert keys_of(alice.list_data_sample(of_dataset, ascending=True)) == added
        assert alice.list_data_sample({"dataset_key": [unknown_key()]}) == []

    def test_by_key(self, alice, stock):
        found = alice.list_data_sample({"key": stock.samples[:1]})
        assert found == [alice.get_data_sample(stock.samples[0])]
        assert stock.samples[0] in keys_of(alice.list_data_sample())

    def test_by_owner(self, bob, specs, dataset, stock):
        his = bob.add_dataset(specs.dataset(permissions=PRIVATE))
        sample = bob.add_data_sample(specs.sample(his))
        either = {"key": [sample, stock.samples[0]]}
        assert keys_of(bob.list_data_sample({**either, "owner": ["MyOrg2MSP"]})) == [sample]
        assert len(bob.list_data_sample({**either, "owner": ["MyOrg1MSP", "MyOrg2MSP"]})) == 2

    def test_by_plan_and_by_function(self, alice, specs, stock):
        function = alice.add_function(specs.function())
        plan = alice.add_compute_plan(specs.plan(stock.training(function_key=function)))
        for name, key in {"compute_plan_key": plan["key"], "function_key": function}.items():
            assert set(keys_of(alice.list_data_sample({name: [key]}))) == set(stock.samples)
            assert alice.list_data_sample({name: [unknown_key()]}) == []

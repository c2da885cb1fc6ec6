"""Datasets: add, get, list, update, download, describe."""

from pathlib import Path

import pytest

from tests.builders import DESCRIPTION, OPENER

from .refusals import refused, unknown_key
from .specs import PRIVATE, PUBLIC, granted, keys_of, only_to, sha256, unique

pytestmark = pytest.mark.sdk


class TestAdd:
    def test_add_dataset(self, sdk, alice, specs):
        spec = specs.dataset(name="Fiebermessungen – Sühö", logs_permission=only_to("MyOrg2MSP"))
        key = alice.add_dataset(spec)
        found = alice.get_dataset(key)
        assert found.pop("creation_date").endswith("Z")
        # The SDK stopped sending and reading the type after 0.51.
        assert found.pop("type", None) == {"1.0.0": None}.get(sdk.version, "tabular")
        address = f"{sdk.url}/data_manager/{key}"
        assert found == {
            "key": key,
            "name": "Fiebermessungen – Sühö",
            "owner": "MyOrg1MSP",
            "permissions": {"process": granted(PUBLIC)},
            "logs_permission": granted(only_to("MyOrg2MSP")),
            "metadata": {"ward": "7"},
            "data_sample_keys": [],
            "opener": {"checksum": sha256(OPENER), "storage_address": f"{address}/opener/"},
            "description": {
                "checksum": sha256(DESCRIPTION),
                "storage_address": f"{address}/description/",
            },
        }

    def test_same_content_twice_makes_two(self, alice, specs):
        spec = specs.dataset()
        assert alice.add_dataset(spec) != alice.add_dataset(spec)

    def test_metadata_may_be_null(self, alice, specs):
        key = alice.add_dataset(specs.dataset(metadata=None))
        assert alice.get_dataset(key)["metadata"] == {}

    def test_description_is_generated_by_newer_sdks(self, sdk, alice, specs):
        spec = specs.dataset()
        del spec["description"]
        if sdk.version == "0.51.0":
            with refused("ValidationError", "description"):
                alice.add_dataset(spec)
        else:
            assert "No description given" in alice.describe_dataset(alice.add_dataset(spec))

    @pytest.mark.parametrize(
        ("changes", "phrase"),
        [
            ({"name": ""}, "name: cannot be blank"),
            ({"name": "é" * 51}, "name: the length must be between 1 and 100"),
            ({"metadata": {"a__b": "1"}}, '"__" cannot be used in a metadata key'),
            ({"metadata": {"k" * 101: "1"}}, "is too long"),
            ({"permissions": only_to("Unknown")}, "invalid permission input values"),
            ({"logs_permission": only_to("Unknown")}, "invalid permission input values"),
        ],
        ids=["no name", "long name", "metadata __", "long metadata", "unknown org", "unknown logs"],
    )
    def test_refused(self, alice, specs, changes, phrase):
        with refused("InvalidRequest", "OE0", phrase):
            alice.add_dataset(specs.dataset(**changes))

    def test_too_large_a_file_is_refused(self, sdk, alice, specs):
        limit = int(sdk.server.environment["MAX_UPLOAD_SIZE"])
        opener = specs.file("opener.py", b"#" * (limit + 1))
        with refused("InvalidRequest", "File too large"):
            alice.add_dataset(specs.dataset(data_opener=opener))

    def test_viewers_register_nothing(self, victor, specs):
        with refused("AuthorizationError", "viewer"):
            victor.add_dataset(specs.dataset())


class TestGet:
    def test_everybody_reads_what_is_known_of_it(self, alice, victor, carol, specs):
        key = alice.add_dataset(specs.dataset(permissions=PRIVATE))
        assert alice.get_dataset(key) == victor.get_dataset(key) == carol.get_dataset(key)

    @pytest.mark.parametrize("key", [unknown_key(), "no-key"], ids=["unknown", "malformed"])
    @pytest.mark.parametrize("method", ["get_dataset", "describe_dataset"])
    def test_not_found(self, alice, method, key):
        with refused("NotFound"):
            getattr(alice, method)(key)


class TestUpdate:
    def test_update_dataset(self, alice, bob, specs):
        key = alice.add_dataset(specs.dataset())
        before = alice.get_dataset(key)
        assert alice.update_dataset(key, "Umbenannt ✓") is None
        assert bob.get_dataset(key) == {**before, "name": "Umbenannt ✓"}

    def test_refused(self, alice, victor, bob, stock):
        with refused("AuthorizationError", "only its owner MyOrg1MSP may rename this dataset"):
            bob.update_dataset(stock.dataset, "Mine")
        with refused("AuthorizationError", "viewer"):
            victor.update_dataset(stock.dataset, "Mine")
        with refused("InvalidRequest", "name: cannot be blank"):
            alice.update_dataset(stock.dataset, "")
        with refused("NotFound"):
            alice.update_dataset(unknown_key(), "Mine")


class TestFiles:
    def test_download_dataset(self, alice, specs):
        opener = bytes(range(256)) * 1000
        spec = specs.dataset(data_opener=specs.file("any.bin", opener))
        folder = specs.folder()
        path = Path(alice.download_dataset(alice.add_dataset(spec), str(folder)))
        assert path == folder / "opener.py"
        assert path.read_bytes() == opener

    def test_describe_dataset(self, alice, specs):
        key = alice.add_dataset(specs.dataset())
        assert alice.describe_dataset(key) == DESCRIPTION.decode()

    def test_private_files_go_to_the_permitted_only(self, alice, victor, bob, carol, specs):
        key = alice.add_dataset(specs.dataset(permissions=only_to("MyOrg2MSP")))
        for client in (alice, victor, bob):
            path = Path(client.download_dataset(key, str(specs.folder())))
            assert path.read_bytes() == OPENER
            assert client.describe_dataset(key) == DESCRIPTION.decode()
        with refused("AuthorizationError", "Unauthorized"):
            carol.download_dataset(key, str(specs.folder()))
        with refused("AuthorizationError", "Unauthorized"):
            carol.describe_dataset(key)

    def test_public_files_go_to_everybody(self, carol, specs, stock):
        path = Path(carol.download_dataset(stock.dataset, str(specs.folder())))
        assert path.read_bytes() == OPENER

    def test_not_found(self, alice, specs):
        with refused("NotFound"):
            alice.download_dataset(unknown_key(), str(specs.folder()))


class TestList:
    def test_newest_first_or_oldest_first(self, alice, specs):
        name = unique("Zählung")
        added = [alice.add_dataset(specs.dataset(name=f"{name} {n}")) for n in range(3)]
        assert keys_of(alice.list_dataset({"name": name})) == added[::-1]
        assert keys_of(alice.list_dataset({"name": name}, ascending=True)) == added

    def test_gives_what_get_gives(self, alice, stock):
        found = alice.list_dataset({"key": [stock.dataset]})
        assert found == [alice.get_dataset(stock.dataset)]
        assert stock.dataset in keys_of(alice.list_dataset())

    def test_by_key(self, alice, specs):
        added = [alice.add_dataset(specs.dataset()) for _ in range(3)]
        assert set(keys_of(alice.list_dataset({"key": added[:2]}))) == set(added[:2])
        assert alice.list_dataset({"key": [unknown_key()]}) == []
        assert alice.list_dataset({"key": ["no-key"]}) == []

    def test_by_words_of_the_name(self, alice, specs):
        name = unique("Blood Pressure")
        key = alice.add_dataset(specs.dataset(name=name))
        last = name.split()[-1]
        assert keys_of(alice.list_dataset({"name": f"pressure {last.upper()} BLOOD"})) == [key]
        assert alice.list_dataset({"name": f"sugar {last}"}) == []

    def test_by_owner(self, alice, bob, specs):
        name = unique()
        mine, his = (c.add_dataset(specs.dataset(name=name)) for c in (alice, bob))
        by_owner = {"name": name, "owner": ["MyOrg1MSP"]}
        assert keys_of(bob.list_dataset(by_owner)) == [mine]
        by_owner["owner"].append("MyOrg2MSP")
        assert keys_of(alice.list_dataset(by_owner)) == [his, mine]

    def test_by_permissions(self, alice, specs):
        name = unique()
        permissions = [PUBLIC, PRIVATE, only_to("MyOrg2MSP")]
        everyone, _, second = (
            alice.add_dataset(specs.dataset(name=name, permissions=given)) for given in permissions
        )

        def usable_by(*organizations: str) -> list[str]:
            return keys_of(alice.list_dataset({"name": name, "permissions": organizations}))

        assert usable_by("MyOrg2MSP") == [second, everyone]
        assert usable_by("MyOrg3MSP") == [everyone]
        assert usable_by("MyOrg3MSP", "MyOrg2MSP") == [second, everyone]
        assert len(usable_by("MyOrg1MSP")) == 3

    def test_by_data_sample(self, alice, specs, stock):
        assert keys_of(alice.list_dataset({"data_sample_key": stock.samples})) == [stock.dataset]
        assert alice.list_dataset({"data_sample_key": [unknown_key()]}) == []

    def test_by_plan_and_by_function(self, alice, specs, stock):
        function = alice.add_function(specs.function())
        task = stock.training(function_key=function)
        plan = alice.add_compute_plan(specs.plan(task))
        for name, key in {"compute_plan_key": plan["key"], "function_key": function}.items():
            assert keys_of(alice.list_dataset({name: [key]})) == [stock.dataset]
            assert alice.list_dataset({name: [unknown_key()]}) == []

    def test_by_something_else_is_refused_by_the_sdk(self, alice):
        with refused("NotAllowedFilterError"):
            alice.list_dataset({"metadata": []})

"""Functions: add, get, list, update, download, describe, wait."""

from pathlib import Path
from threading import Timer

import pytest

from tests.builders import CODE, DESCRIPTION, tar_of, zip_of

from .refusals import refused, unknown_key
from .specs import PRIVATE, PUBLIC, TRAIN, granted, keys_of, only_to, sha256, unique

pytestmark = pytest.mark.sdk

ARCHIVES = {"function.zip": zip_of(CODE), "function.tar.gz": tar_of(CODE)}


class TestAdd:
    def test_add_function(self, sdk, alice, specs):
        archive = zip_of(CODE)
        spec = specs.function(name="Tränieren", file=specs.file("f.zip", archive))
        key = alice.add_function(spec)
        found = alice.get_function(key)
        assert found.pop("creation_date").endswith("Z")
        address = f"{sdk.url}/function/{key}"
        assert found == {
            "key": key,
            "name": "Tränieren",
            "owner": "MyOrg1MSP",
            "permissions": {"process": granted(PUBLIC)},
            "metadata": {"library": "numpy"},
            "inputs": TRAIN["inputs"],
            "outputs": [
                {name: output[name] for name in ("identifier", "kind", "multiple")}
                for output in TRAIN["outputs"]
            ],
            "status": "FUNCTION_STATUS_WAITING",
            "archive": {"checksum": sha256(archive), "storage_address": f"{address}/file/"},
            "description": {
                "checksum": sha256(DESCRIPTION),
                "storage_address": f"{address}/description/",
            },
        }

    def test_without_inputs_and_outputs(self, alice, specs):
        key = alice.add_function(specs.function(inputs=None, outputs=[], metadata=None))
        found = alice.get_function(key)
        assert (found["inputs"], found["outputs"], found["metadata"]) == ([], [], {})

    @pytest.mark.parametrize(
        ("changes", "phrase"),
        [
            ({"name": ""}, "name: cannot be blank"),
            ({"name": "n" * 101}, "name: the length must be between 1 and 100"),
            ({"metadata": {"a__b": "1"}}, '"__" cannot be used in a metadata key'),
            ({"permissions": only_to("Unknown")}, "invalid permission input values"),
            ({"inputs": TRAIN["inputs"][:1]}, "needs a data sample input"),
            ({"inputs": TRAIN["inputs"][1:]}, "needs a data manager input"),
            (
                {"outputs": [{"identifier": "p", "kind": "ASSET_PERFORMANCE", "multiple": True}]},
                "performance output cannot be multiple",
            ),
        ],
        ids=[
            "no name",
            "long name",
            "metadata __",
            "unknown org",
            "no samples",
            "no opener",
            "many",
        ],
    )
    def test_refused(self, alice, specs, changes, phrase):
        with refused("InvalidRequest", "OE0", phrase):
            alice.add_function(specs.function(**changes))

    @pytest.mark.parametrize(
        ("content", "phrase"),
        [
            (zip_of({"function.py": b"1"}), "no Dockerfile"),
            (zip_of({"Dockerfile": b"FROM scratch"}), "contains only a Dockerfile"),
            (zip_of({**CODE, "../evil.py": b"1"}), "unsafe path"),
            (b"neither zip nor tar", "not a readable zip or tar archive"),
        ],
        ids=["no Dockerfile", "no code", "traversal", "no archive"],
    )
    def test_archive_refused(self, alice, specs, content, phrase):
        with refused("InvalidRequest", "OE0101", phrase):
            alice.add_function(specs.function(file=specs.file("function.zip", content)))

    def test_viewers_register_nothing(self, victor, specs):
        with refused("AuthorizationError", "viewer"):
            victor.add_function(specs.function())


class TestGet:
    def test_everybody_reads_what_is_known_of_it(self, alice, victor, carol, specs):
        key = alice.add_function(specs.function(permissions=PRIVATE))
        assert alice.get_function(key) == victor.get_function(key) == carol.get_function(key)

    @pytest.mark.parametrize("key", [unknown_key(), "no-key"], ids=["unknown", "malformed"])
    @pytest.mark.parametrize("method", ["get_function", "describe_function"])
    def test_not_found(self, alice, method, key):
        with refused("NotFound"):
            getattr(alice, method)(key)


class TestUpdate:
    def test_update_function(self, alice, bob, specs):
        key = alice.add_function(specs.function())
        before = alice.get_function(key)
        assert alice.update_function(key, "Neuer Name") is None
        assert bob.get_function(key) == {**before, "name": "Neuer Name"}

    def test_refused(self, alice, victor, bob, stock):
        with refused("AuthorizationError", "only its owner MyOrg1MSP may rename this function"):
            bob.update_function(stock.train, "Mine")
        with refused("AuthorizationError", "viewer"):
            victor.update_function(stock.train, "Mine")
        with refused("InvalidRequest", "name: cannot be blank"):
            alice.update_function(stock.train, "")
        with refused("NotFound"):
            alice.update_function(unknown_key(), "Mine")


class TestFiles:
    @pytest.mark.parametrize("name", ARCHIVES)
    def test_download_function(self, alice, specs, name):
        """Byte for byte, under the name that the SDK gives to archives of any type."""
        spec = specs.function(file=specs.file(name, ARCHIVES[name]))
        folder = specs.folder()
        path = Path(alice.download_function(alice.add_function(spec), str(folder)))
        assert path == folder / "function.tar.gz"
        assert path.read_bytes() == ARCHIVES[name]

    def test_describe_function(self, alice, specs):
        text = "# Größe\n\nÜber 東京 und zurück 🙂\n"
        spec = specs.function(description=specs.file("liesmich.md", text.encode()))
        assert alice.describe_function(alice.add_function(spec)) == text

    def test_private_files_go_to_the_permitted_only(self, alice, victor, bob, carol, specs):
        archive = ARCHIVES["function.tar.gz"]
        spec = specs.function(
            permissions=only_to("MyOrg2MSP"), file=specs.file("function.tar.gz", archive)
        )
        key = alice.add_function(spec)
        for client in (alice, victor, bob):
            path = Path(client.download_function(key, str(specs.folder())))
            assert path.read_bytes() == archive
            assert client.describe_function(key) == DESCRIPTION.decode()
        with refused("AuthorizationError", "Unauthorized"):
            carol.download_function(key, str(specs.folder()))
        with refused("AuthorizationError", "Unauthorized"):
            carol.describe_function(key)

    def test_public_files_go_to_everybody(self, carol, stock):
        assert carol.describe_function(stock.train) == DESCRIPTION.decode()

    def test_not_found(self, alice, specs):
        with refused("NotFound"):
            alice.download_function(unknown_key(), str(specs.folder()))


class TestWait:
    def test_wait_function(self, alice, specs, worker):
        """It is built while the SDK waits."""
        key = alice.add_function(specs.function())
        status = "FUNCTION_STATUS_READY"
        builder = Timer(0.3, worker.ask, ("set_function",), {"key": key, "status": status})
        builder.start()
        found = alice.wait_function(key, timeout=30, polling_period=0.1)
        builder.join()
        assert found == alice.get_function(key)
        assert found["status"] == status

    @pytest.mark.parametrize("word", ["FAILED", "CANCELED"])
    def test_that_is_not_built(self, alice, specs, worker, word):
        key = alice.add_function(specs.function())
        status = f"FUNCTION_STATUS_{word}"
        worker.ask("set_function", key=key, status=status)
        with refused("FutureFailureError", word.lower()):
            alice.wait_function(key, timeout=30)
        assert alice.wait_function(key, raise_on_failure=False)["status"] == status

    def test_in_vain(self, alice, stock):
        with refused("FutureTimeoutError"):
            alice.wait_function(stock.train, timeout=0.05, polling_period=0.05)


class TestList:
    def test_newest_first_or_oldest_first(self, alice, specs):
        name = unique("Modell")
        added = [alice.add_function(specs.function(name=f"{name} {n}")) for n in range(3)]
        assert keys_of(alice.list_function({"name": name})) == added[::-1]
        assert keys_of(alice.list_function({"name": name}, ascending=True)) == added

    def test_gives_what_get_gives(self, alice, stock):
        assert alice.list_function({"key": [stock.train]}) == [alice.get_function(stock.train)]
        assert stock.train in keys_of(alice.list_function())

    def test_by_key_and_by_owner(self, alice, bob, specs):
        name = unique()
        mine, his = (c.add_function(specs.function(name=name)) for c in (alice, bob))
        assert keys_of(alice.list_function({"key": [mine, unknown_key()]})) == [mine]
        by_owner = {"name": name, "owner": ["MyOrg2MSP"]}
        assert keys_of(alice.list_function(by_owner)) == [his]
        by_owner["owner"].append("MyOrg1MSP")
        assert keys_of(bob.list_function(by_owner)) == [his, mine]

    def test_by_permissions(self, alice, specs):
        name = unique()
        permissions = [PUBLIC, PRIVATE, only_to("MyOrg2MSP")]
        everyone, _, second = (
            alice.add_function(specs.function(name=name, permissions=given))
            for given in permissions
        )
        for organizations, usable in {
            ("MyOrg2MSP",): [second, everyone],
            ("MyOrg3MSP",): [everyone],
            ("MyOrg3MSP", "MyOrg2MSP"): [second, everyone],
        }.items():
            found = alice.list_function({"name": name, "permissions": organizations})
            assert keys_of(found) == usable

    def test_by_what_it_was_used_with(self, alice, specs, stock):
        dataset = alice.add_dataset(specs.dataset())
        sample = alice.add_data_sample(specs.sample(dataset))
        inputs = [
            {"identifier": "opener", "asset_key": dataset},
            {"identifier": "datasamples", "asset_key": sample},
        ]
        tasks = [stock.training(inputs=inputs) for _ in range(2)]
        plan = alice.add_compute_plan(specs.plan(*tasks, stock.aggregating(tasks[0])))
        assert set(keys_of(alice.list_function({"compute_plan_key": [plan["key"]]}))) == {
            stock.train,
            stock.aggregate,
        }
        for name, key in {"dataset_key": dataset, "data_sample_key": sample}.items():
            assert keys_of(alice.list_function({name: [key]})) == [stock.train]
            assert alice.list_function({name: [unknown_key()]}) == []

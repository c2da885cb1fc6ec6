"""Compute plans of every status, whose tasks have inputs of every form."""

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

from client import Site
from work import Work

CURIE, CHARITE = "CurieMSP", "ChariteMSP"
PUBLIC = {"public": True, "authorized_ids": []}
SHARED = {"public": False, "authorized_ids": [CURIE, CHARITE]}
SAMPLES = 40


def key(number: int) -> str:
    """Return a key that says nothing; plans and tasks need one."""
    return str(UUID(int=0x5EED_0000_4000_8000_0000_0000_0000 << 16 | number, version=4))


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def function(site: Site, user: str, name: str, inputs: dict, outputs: dict, **more: Any) -> str:
    values = {"name": name, "permissions": PUBLIC, "inputs": inputs, "outputs": outputs, **more}
    code = zipped(Dockerfile="FROM python:3.12-slim\n", **{"function.py": f"# {name}\n"})
    return site.post(user, "function", values, file=code, description=f"# {name}\n".encode())["key"]


def slot(kind: str, *, multiple: bool = False, optional: bool = False) -> dict[str, Any]:
    return {"kind": f"ASSET_{kind}", "multiple": multiple, "optional": optional}


class Studies:
    """Registers compute plans whose tasks have inputs of every form."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.tasks_made = site, 0
        opener = b"import substratools\n\n\nclass Opener(substratools.Opener):\n    ...\n"
        dataset = {"permissions": PUBLIC, "logs_permission": SHARED, "metadata": {"ward": "7"}}
        files = {"data_opener": opener, "description": "# Coupes\n\nPrélevées à Paris.\n".encode()}
        self.dataset, self.other = (
            site.post("curie-member", "data_manager", {**dataset, "name": name, "type": type_},
                      **files)["key"]
            for name, type_ in (("Lames colorées, Institut Curie", "images"), ("Relectures", ""))
        )  # fmt: skip
        archives = {
            f"sample-{number}": zipped(**{"slide.csv": f"cell,area\n1,{number}\n"})
            for number in range(SAMPLES)
        }
        both = {"data_manager_keys": [self.dataset, self.other]}
        found = site.post("curie-member", "data_sample", both, **archives)
        self.samples = sorted(sample["key"] for sample in found)
        folder.mkdir(parents=True)
        (folder / "slide.csv").write_text("cell,area\n1,0\n")
        in_place = {"data_manager_keys": [self.dataset], "path": str(folder), "multiple": False}
        self.folder = site.post("curie-member", "data_sample", in_place)[0]["key"]
        many = slot("DATA_SAMPLE", multiple=True)
        self.train = function(
            site, "karolinska-member", "Train on slides",
            {"opener": slot("DATA_MANAGER"), "train": many, "test": {**many, "optional": True},
             "models": slot("MODEL", multiple=True, optional=True)},
            {"model": slot("MODEL"), "score": slot("PERFORMANCE")}, metadata={"license": "MIT"},
        )  # fmt: skip
        self.unbuilt, self.unbuildable = (
            function(site, "charite-member", name, {}, {"model": slot("MODEL")})
            for name in ("Segment cells", "Count cells")
        )

    def task(self, *inputs: tuple[str, str] | str, **more: Any) -> dict[str, Any]:
        """A task on the dataset; an input is an identifier with a key, or a parent's key."""
        self.tasks_made += 1
        return {
            "task_id": key(self.tasks_made),
            "function_key": self.train,
            "worker": CURIE,
            "tag": "slides",
            "metadata": {"round_idx": str(self.tasks_made)},
            "inputs": [
                {"identifier": "models", "asset_key": None, "parent_task_key": given,
                 "parent_task_output_identifier": "model"}
                if isinstance(given, str)
                else {"identifier": given[0], "asset_key": given[1], "parent_task_key": None,
                      "parent_task_output_identifier": None}
                for given in inputs
            ],
            "outputs": {
                "model": {"permissions": SHARED, "is_transient": self.tasks_made % 2 == 0},
                "score": {"permissions": PUBLIC, "is_transient": False},
            },
            **more,
        }  # fmt: skip

    def plan(self, number: int, name: str, tasks: list[dict], **more: Any) -> list[str]:
        values = {"key": key(1000 + number), "name": name, "tag": f"study-{number}", "metadata": {}}
        self.site.post("curie-member", "compute_plan", {**values, "tasks": tasks, **more})
        return [task["task_id"] for task in tasks]

    def forms(self) -> list[dict]:
        """Tasks with inputs of every form, in an order that matters."""
        opener, other = ("opener", self.dataset), ("opener", self.other)
        train = [("train", sample) for sample in self.samples[:-5]]
        test = [("test", sample) for sample in self.samples[-5:]]
        tasks = [
            self.task(opener, *train),
            self.task(opener, *train),  # the same once more
            self.task(other, *train),  # for another dataset
            self.task(*train, opener),  # before the opener
            self.task(opener, *reversed(train)),  # in another order
            self.task(opener, *train, *test),  # two identifiers
            self.task(opener, *[pair for two in zip(train, test, strict=False) for pair in two]),
            self.task(*train[:3], opener, *train[3:], *test),  # cut by another input
            self.task(opener, train[0], ("test", train[0][1])),  # one sample as both
            self.task(opener, ("train", self.folder)),
        ]
        parents = [task["task_id"] for task in tasks]
        return [
            *tasks,
            self.task(parents[0], opener, *train, parents[1]),  # between parents
            self.task(opener, *train[:2], parents[0], *train[2:], parents[2], *test),
        ]

    def register(self) -> None:
        opener, sample = ("opener", self.dataset), ("train", self.samples[0])
        forms = self.plan(0, "Forms of inputs", self.forms())
        done = self.plan(1, "Étude terminée", [self.task(opener, sample) for _ in range(3)])
        running = self.plan(2, "Laufende Studie", [self.task(opener, sample) for _ in range(4)])
        failed = self.plan(3, "Failed study", [self.task(opener, sample) for _ in range(3)])
        ended = self.plan(4, "Cancelled study", [self.task(opener, sample) for _ in range(2)])
        self.plan(5, "No tasks yet", [], tag="")
        work = Work()
        work.status("Function", {self.train: "FUNCTION_STATUS_READY"})
        work.status("Function", {self.unbuildable: "FUNCTION_STATUS_FAILED"})
        work.report("BUILD_ERROR", b"No space left on device\n", function_id=self.unbuildable)
        for task in (*done, *forms[:3], running[0], failed[0]):
            work.finish(task)
        work.end(running[1], "EXECUTING")
        work.end(failed[1], "FAILED", error_type="EXECUTION_ERROR")
        work.report("EXECUTION_ERROR", "Échec à la ligne 7\n".encode(), task_id=failed[1])
        work.end(failed[2], "FAILED", error_type="INTERNAL_ERROR")
        self.site.post("curie-admin", f"compute_plan/{key(1004)}/cancel", {})
        work.follow()
        # A model that exists is an input by its own key.
        model = work.models[done[0]]
        self.plan(6, "Continued", [self.task(opener, sample, ("models", model), done[1])])
        work.disable(work.models[done[2]])
        work.follow()
        assert ended

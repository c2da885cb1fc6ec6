"""Registers a study by the SDK and waits until it is done: driver.py FOLDER [URL].

Run by a Python that has the SDK. Without a server, the SDK runs the tasks itself.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import substra
from substra.sdk import schemas

PASSWORD = "federated-demo"


def main(folder: Path, url: str = "") -> None:
    study = json.loads((folder / "study.json").read_text())
    clients = {slug: _client(slug, url) for slug in study["hospitals"]}
    ids = {slug: one.organization_info().organization_id for slug, one in clients.items()}
    keys = _register(study, folder, clients, ids)
    leader = clients[study["hospitals"][0]]
    # A study can run more than once on one server.
    new = {task["key"]: str(uuid4()) for task in study["tasks"]}
    tasks = [_task(task, new, keys, ids) for task in study["tasks"]]
    plan = schemas.ComputePlanSpec(key=str(uuid4()), name="federated", tasks=tasks)
    begin = time.monotonic()
    leader.add_compute_plan(plan)
    while (found := leader.get_compute_plan(plan.key)).end_date is None and url:
        time.sleep(0.2)
    seconds = time.monotonic() - begin
    performances = leader.get_performances(plan.key).performance
    print(
        json.dumps(
            {
                "seconds": seconds,
                "status": found.status,
                "performances": performances,
                "tasks": new,
                "functions": {name: keys[f"function/{name}"] for name in study["functions"]},
            }
        )
    )


def _client(slug: str, url: str) -> substra.Client:
    if not url:
        return substra.Client(backend_type=substra.BackendType.LOCAL_SUBPROCESS)
    return substra.Client(
        backend_type=substra.BackendType.REMOTE,
        url=f"{url}/api",
        username=f"{slug}-member",
        password=PASSWORD,
    )


def _permissions(value: dict[str, Any], ids: dict[str, str]) -> schemas.Permissions:
    named = [ids[slug] for slug in value["authorized_ids"]]
    return schemas.Permissions(public=value["public"], authorized_ids=named)


def _register(
    study: dict[str, Any], folder: Path, clients: dict[str, substra.Client], ids: dict[str, str]
) -> dict[str, str]:
    """Register what the tasks use; return the keys by name."""
    files, keys = Path(study["files"]), {}
    everyone = schemas.Permissions(public=True, authorized_ids=[])
    for slug, client in clients.items():
        dataset = files / "datasets" / slug
        keys[f"dataset/{slug}"] = client.add_dataset(
            schemas.DatasetSpec(
                name=slug,
                data_opener=dataset / "opener.py",
                description=dataset / "description.md",
                permissions=everyone,
                logs_permission=everyone,
            )
        )
    for slug, name in study["samples"]:
        keys[f"sample/{slug}/{name}"] = clients[slug].add_data_sample(
            schemas.DataSampleSpec(
                data_manager_keys=[keys[f"dataset/{slug}"]], path=folder / "data" / slug / name
            ),
            local=True,
        )
    for name, (owner, permissions) in study["functions"].items():
        declared = json.loads((files / "functions" / name / "function.json").read_text())
        keys[f"function/{name}"] = clients[owner].add_function(
            schemas.FunctionSpec(
                name=name,
                file=folder / f"{name}.zip",
                description=files / "functions" / name / "description.md",
                permissions=_permissions(permissions, ids),
                inputs=[_input(item) for item in _items(declared["inputs"])],
                outputs=[_output(item) for item in _items(declared["outputs"])],
            )
        )
    return keys


def _items(declared: Any) -> list[dict[str, Any]]:
    if isinstance(declared, dict):
        return [{"identifier": name, **item} for name, item in declared.items()]
    return declared


def _input(item: dict[str, Any]) -> schemas.FunctionInputSpec:
    return schemas.FunctionInputSpec(
        identifier=item["identifier"],
        kind=item["kind"],
        multiple=item.get("multiple", False),
        optional=item.get("optional", False),
    )


def _output(item: dict[str, Any]) -> schemas.FunctionOutputSpec:
    return schemas.FunctionOutputSpec(
        identifier=item["identifier"], kind=item["kind"], multiple=item.get("multiple", False)
    )


def _task(
    task: dict[str, Any], new: dict[str, str], keys: dict[str, str], ids: dict[str, str]
) -> schemas.ComputePlanTaskSpec:
    return schemas.ComputePlanTaskSpec(
        task_id=new[task["key"]],
        function_key=keys[task["function"]],
        worker=ids[task["worker"]],
        metadata=task["metadata"],
        inputs=[
            schemas.InputRef(
                identifier=item["identifier"],
                asset_key=keys.get(item["asset_key"]),
                parent_task_key=new.get(item["parent_task_key"]),
                parent_task_output_identifier=item["parent_task_output_identifier"],
            )
            for item in task["inputs"]
        ],
        outputs={
            name: schemas.ComputeTaskOutputSpec(
                permissions=_permissions(permissions, ids), is_transient=transient
            )
            for name, (permissions, transient) in task["outputs"].items()
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

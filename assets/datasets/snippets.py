"""Code that registers datasets and data samples, with the SDK and with curl."""

import ntpath
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from ..common.pages.snippets import (
    Snippets,
    api_url,
    call,
    curl,
    permissions_call,
    permissions_json,
    sdk_and_curl,
)
from .specs import DatasetSpec


def _name_of(file: Any, otherwise: str) -> str:
    return getattr(file, "name", None) or otherwise


def dataset_snippets(spec: DatasetSpec, request: Any) -> Snippets:
    """Return the code that registers such a dataset."""
    opener = _name_of(spec.data_opener, "opener.py")
    description = _name_of(spec.description, "description.md")
    statement = call(
        "DatasetSpec",
        name=spec.name,
        data_opener=opener,
        type=spec.type,
        description=description,
        permissions=permissions_call(spec.permissions),
        logs_permission=permissions_call(spec.logs_permission),
        metadata=dict(spec.metadata),
    )
    body = {
        "name": spec.name,
        "type": spec.type,
        "permissions": permissions_json(spec.permissions),
        "logs_permission": permissions_json(spec.logs_permission),
        "metadata": dict(spec.metadata),
    }
    names = ("DatasetSpec", "Permissions")
    files = {"data_opener": opener, "description": description}
    code = f"key = client.add_dataset({statement})"
    return sdk_and_curl(request, names, code, "data_manager-list", body, files)


def _folder_of(archive: str) -> str:
    suffixes = (".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lzma", ".tgz", ".tar")
    return next((archive.removesuffix(end) for end in suffixes if archive.endswith(end)), archive)


def _warning(folders: Sequence[str]) -> str:
    """Return a comment about folders of the same name, which the SDK confuses; blank if none."""
    counts = Counter(ntpath.basename(folder.rstrip("/\\")) for folder in folders)
    names = [name for name, times in counts.items() if times > 1]
    if not names:
        return ""
    return (
        "# Careful: of folders with the same name, substra 1.0.0 sends the last one only.\n"
        f"# Rename the others first, or add them one by one: {', '.join(map(repr, names))}\n"
    )


def sample_snippets(
    dataset_keys: Sequence[Any], paths: Sequence[str], request: Any, *, upload: bool
) -> Snippets:
    """Return the code that registers such data samples: uploads, or folders on the server."""
    keys = [str(key) for key in dataset_keys]
    # The SDK archives a folder itself.
    given = [_folder_of(path) for path in paths] if upload else list(paths)
    statement = call("DataSampleSpec", paths=given, data_manager_keys=keys)
    local = "" if upload else ", local=False"
    warning = _warning(given) if upload else ""
    code = f"{warning}keys = client.add_data_samples({statement}{local})"
    body: dict[str, Any] = {"data_manager_keys": keys}
    files = None
    if upload:
        files = {f"sample-{number}": path for number, path in enumerate(paths, 1)}
    else:
        body["paths"] = list(paths)
    return sdk_and_curl(request, ("DataSampleSpec",), code, "data_sample-list", body, files)


def runner_snippets(
    dataset_keys: Sequence[Any], paths: Sequence[PurePath | str], request: Any
) -> Snippets:
    """Return the code that registers folders at runners, which the SDK's specs cannot name."""
    body = {
        "data_manager_keys": [str(key) for key in dataset_keys],
        "runner_paths": [str(path) for path in paths],
    }
    return [("curl", "bash", curl(api_url(request, "data_sample-list"), body))]

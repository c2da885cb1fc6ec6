"""One list says what is hidden: to the server, and to the script that packs folders."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from assets.common.files.hidden import hidden_advice, hidden_names, hidden_paths, is_hidden

SCRIPT = Path(__file__).parents[2] / "static/registrar/folders.js"
NAMES = {
    ".git": True,
    ".DS_Store": True,
    "._scan.dcm": True,
    ".snapshot": True,
    "@eaDir": True,
    "__MACOSX": True,
    "THUMBS.DB": True,
    "Desktop.ini": True,
    "Icon\r": True,
    "~$table.xlsx": True,
    ".zarray": False,
    ".dockerignore": False,
    "scan.dcm": False,
    "a.git": False,
    "#1": False,
    "@home": False,
    "~": False,
    "..": True,
}


@pytest.mark.parametrize("name", NAMES)
def test_which_names_are_hidden(name):
    assert is_hidden(name) is NAMES[name]


def test_a_path_is_hidden_by_any_of_its_names():
    paths = ["a/b.csv", "a/.git/config", "__MACOSX/._a", "x/.zgroup"]
    assert list(hidden_paths(paths)) == ["a/.git/config", "__MACOSX/._a"]
    [advice] = hidden_advice(paths)
    assert "hidden files: a/.git/config, __MACOSX/._a. They" in advice
    assert list(hidden_advice(["a/b.csv", "x/.zgroup"])) == []


def packed(folder: str, *paths: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return the samples that the script makes of a folder, and what it says of the rest."""
    code = f"""
        const page = {{"hidden-names": {json.dumps(json.dumps(hidden_names()))}}};
        global.document = {{getElementById: (id) => ({{textContent: page[id]}})}};
        global.window = {{registrar: {{}}}};
        // Django's catalogue, without translations.
        global.ngettext = (one, several, count) => (count === 1 ? one : several);
        global.interpolate = (text, values) =>
            text.replace(/%\\((\\w+)\\)s/g, (_, name) => values[name]);
        require({json.dumps(str(SCRIPT))});
        const files = {json.dumps(paths)}.map((path) => ({{path, file: {{}}}}));
        const {{samplesOf}} = window.registrar.folders;
        const {{samples, skipped}} = samplesOf({json.dumps(folder)}, files);
        const named = samples.map((one) => [one.name, one.entries.map((entry) => entry.path)]);
        console.log(JSON.stringify([named, skipped]));
    """
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    samples, message = json.loads(done.stdout)
    return dict(samples), message


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_folders_of_the_browser_leave_out_the_same():
    hidden = [name for name in NAMES if NAMES[name]]
    visible = [name for name in NAMES if not NAMES[name]]
    samples, message = packed("site", *(f"{name}/x" for name in NAMES))
    assert set(samples) == set(visible)
    assert f"{len(hidden)} hidden files (.git, .DS_Store, ._scan.dcm, …)" in message
    samples, message = packed("scan", "a.dcm", ".zarray", ".git/HEAD")
    assert samples == {"scan": ["a.dcm", ".zarray"]}
    assert message == ["1 hidden file (.git)"]

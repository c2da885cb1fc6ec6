"""What the runner reads in Dockerfiles."""

import pytest

from assets.runner.dockerfile import BuildError, Entry, read_entry

GOOD = {
    "plain": (
        'FROM x\nENTRYPOINT ["python3", "function.py", "--function-name", "train"]\n',
        Entry("python3", "function.py", "train"),
    ),
    "options": (
        'ENTRYPOINT ["python", "-u", "./code/f.py", "--function-name", "a b"]',
        Entry("python", "code/f.py", "a b", ("-u",)),
    ),
    "lower case, several lines, a comment between them": (
        'entrypoint ["python3", \\\n# why\n  "function.py", \\\n "--function-name", "train"]\n',
        Entry("python3", "function.py", "train"),
    ),
    "the last one counts": (
        'ENTRYPOINT x\n#ENTRYPOINT y\nENTRYPOINT ["r", "function.py", "--function-name", "t"]\n',
        Entry("r", "function.py", "t"),
    ),
}
BAD = {
    "none": ("FROM x\nCMD y\n", "has no ENTRYPOINT. Add one"),
    "a comment": ('# ENTRYPOINT ["python3", "function.py"]\n', "has no ENTRYPOINT. Add one"),
    "shell form": ("ENTRYPOINT python function.py\n", "is not a list of texts in JSON"),
    "numbers": ("ENTRYPOINT [1, 2]\n", "is not a list of texts in JSON"),
    "nothing": ("ENTRYPOINT []\n", "has no --function-name"),
    "no name": ('ENTRYPOINT ["p", "function.py", "--function-name"]', "has no --function-name"),
    "no script": ('ENTRYPOINT ["p", "--function-name", "t"]', "does not consist of"),
    "more": ('ENTRYPOINT ["p", "function.py", "--function-name", "t", "x"]', "does not consist of"),
    "elsewhere": ('ENTRYPOINT ["p", "../f.py", "--function-name", "t"]', "not a path below"),
    "absolute": ('ENTRYPOINT ["p", "/f.py", "--function-name", "t"]', "not a path below"),
    "another script": ('ENTRYPOINT ["p", "g.py", "--function-name", "t"]', "does not contain"),
}


@pytest.fixture
def function(tmp_path):
    """A folder with the scripts that the cases name."""
    for name in ("function.py", "code/f.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(("text", "entry"), GOOD.values(), ids=GOOD)
def test_an_entry_is_read(function, text, entry):
    (function / "Dockerfile").write_text(text)
    assert read_entry(function) == entry


@pytest.mark.parametrize(("text", "why"), BAD.values(), ids=BAD)
def test_a_build_error_says_why(function, text, why):
    (function / "Dockerfile").write_text(text)
    with pytest.raises(BuildError, match="The ENTRYPOINT|has no ENTRYPOINT") as caught:
        read_entry(function)
    assert why in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["missing", "no text"])
def test_a_dockerfile_that_cannot_be_read_is_a_build_error(function, content):
    if content:
        (function / "Dockerfile").write_bytes(content)
    with pytest.raises(BuildError, match="cannot be read"):
        read_entry(function)

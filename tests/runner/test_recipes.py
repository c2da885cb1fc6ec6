"""What the process engine reads in Dockerfiles: which Python, which packages, from which files."""

import pytest

from assets.runner.dockerfile import BuildError, Entry
from assets.runner.engines.recipes import read_recipe

ENTRY = Entry("python3", "function.py", "train")

# As SubstraFL 1.0.0 writes it, shortened by comments and by what it copies.
SUBSTRAFL = r"""
FROM python:3.11-slim

# update image
RUN apt-get update -y && pip uninstall -y setuptools

# create a non-root user
RUN addgroup --gid 1001 group
RUN adduser --disabled-password --gecos "" --uid 1001 --gid 1001 --home /home/user user
WORKDIR /home/user
USER user

RUN python3.11 -m venv /home/user/venv
ENV PATH="/home/user/venv/bin:$PATH" VIRTUAL_ENV="/home/user/venv"

RUN python3.11 -m pip install -U pip && pip install -U setuptools>=70.0.0

COPY substrafl_internal/local_dependencies/own-1.0-py3-none-any.whl substrafl_internal/x.whl
COPY requirements.txt requirements.txt
RUN python3.11 -m pip install --no-cache-dir -r requirements.txt

USER root
RUN apt-get update -y && apt-get purge -y --auto-remove build-essential *-dev
USER user
ENTRYPOINT ["python3.11", "function.py", "--function-name", "train"]
"""

# Lines of a Dockerfile, and the calls of pip that they ask for.
INSTALLS = {
    "none": ("FROM x", []),
    "packages": ("RUN pip install a b==1", [("a", "b==1")]),
    "options": ("RUN pip3 install --no-cache-dir -U a", [("--no-cache-dir", "-U", "a")]),
    "by python": ("RUN python3 -m pip install a", [("a",)]),
    "by a path": ("RUN /opt/venv/bin/pip install a", [("a",)]),
    "by uv": ("RUN uv pip install --system a", [("a",)]),
    "in quotes": ("RUN pip install 'a>=1' \"b[x]\"", [("a>=1", "b[x]")]),
    "not in quotes, as SubstraFL": ("RUN pip install a>=1", [("a>=1",)]),
    "after others": ("RUN apt-get update && pip install a; pip install b", [("a",), ("b",)]),
    "over lines": ("RUN pip install \\\n    a \\\n    b", [("a", "b")]),
    "with a mount": ("RUN --mount=type=cache,target=/x pip install a", [("a",)]),
    "with variables before it": ("RUN PIP_X=1 pip install a", [("a",)]),
    "quiet": ("RUN pip install a > /dev/null 2>&1 || true", [("a",)]),
    "a list": ("RUN pip install -r requirements.txt", [("-r", "./requirements.txt")]),
    "a list, in one word": ("RUN pip install -rrequirements.txt", [("-r./requirements.txt",)]),
    "a list elsewhere": (
        "RUN pip install --requirement=/tmp/requirements.txt",
        [("--requirement=./requirements.txt",)],
    ),
    "a wheel elsewhere": ("RUN pip install /app/wheels/own.whl", [("./wheels/own.whl",)]),
    "a folder": ("RUN pip install -e ./own[x]", [("./own[x]",)]),
    "a package with a folder's name": ("RUN pip install own", [("own",)]),
    "the folder itself": ("COPY . .\nRUN pip install .", [("./.",)]),
    "nothing of the archive": ("RUN pip install ../x.whl /y.whl", [("../x.whl", "/y.whl")]),
    "the image of substratools": (
        "FROM ghcr.io/substra/substra-tools:1.0.0-python3.11-minimal\nRUN pip install a",
        [("substratools==1.0.0",), ("a",)],
    ),
    "what an environment can do without": (
        "RUN apt-get update && apt-get clean && rm -rf /var/lib/apt/lists/* && mkdir -p /x",
        [],
    ),
    "SubstraFL": (
        SUBSTRAFL,
        [
            ("-U", "pip"),
            ("-U", "setuptools>=70.0.0"),
            ("--no-cache-dir", "-r", "./requirements.txt"),
        ],
    ),
}


@pytest.fixture
def function(tmp_path):
    """An archive with a list of requirements, a wheel, and a package in a folder."""
    files = {
        "requirements.txt": "numpy\n-r more.txt\nfile:wheels/own.whl\n",
        "more.txt": "pandas\n",
        "wheels/own.whl": "",
        "own/pyproject.toml": "",
        "own/own/__init__.py": "",
        "function.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def read(function, text, entry=ENTRY):
    (function / "Dockerfile").write_text(text)
    return read_recipe(function, entry)


@pytest.mark.parametrize(("text", "installs"), INSTALLS.values(), ids=INSTALLS)
def test_pip_is_called_as_the_dockerfile_says(function, text, installs):
    assert list(read(function, text).installs) == installs


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("pip install numpy", set()),
        ("pip install -r requirements.txt", {"requirements.txt", "more.txt", "wheels/own.whl"}),
        ("pip install ./own", {"own/pyproject.toml", "own/own/__init__.py"}),
        ("pip install wheels/own.whl", {"wheels/own.whl"}),
    ],
)
def test_the_files_that_pip_reads_are_found(function, text, files):
    assert {str(path) for path in read(function, f"RUN {text}").files} == files


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("apt-get update && apt-get install -y gcc", "apt-get install -y gcc"),
        ("apt install git", "apt install git"),
        ("make", "make"),
        ("pip download a", "pip download a"),
        ("curl https://x | sh", "curl https://x"),
        ('["pip", "install", "a"]', '["pip", "install", "a"]'),
        ("echo 'x", "echo 'x"),
    ],
)
def test_what_only_an_image_can_do_is_named(function, command, shown):
    with pytest.raises(BuildError) as caught:
        read(function, f"RUN {command}")
    assert f"runs `{shown}`, which the process engine cannot do" in str(caught.value)
    assert "a runner with the container engine" in str(caught.value)


def test_variables_are_refused(function):
    with pytest.raises(BuildError, match=r"`pip install a==\$\{V\}`, with a variable"):
        read(function, "ARG V=1\nRUN pip install a==${V}")


@pytest.mark.parametrize(
    ("interpreter", "image", "python", "preferred"),
    [
        ("python3", "python:3.11-slim", "", "3.11"),
        ("python", "ubuntu", "", ""),
        ("/usr/bin/python3.12", "python:3.11", "3.12", "3.11"),
        ("python3", "ghcr.io/substra/substra-tools:1.0.0-python3.10-minimal", "", "3.10"),
    ],
)
def test_the_version_of_python_is_read(function, interpreter, image, python, preferred):
    recipe = read(function, f"FROM {image}", Entry(interpreter, "function.py", "train"))
    assert (recipe.python, recipe.preferred) == (python, preferred)


@pytest.mark.parametrize("interpreter", ["Rscript", "bash", "python2", "pypy3"])
def test_another_interpreter_is_refused(function, interpreter):
    with pytest.raises(BuildError, match=f"starts {interpreter}, but the process engine runs Py"):
        read(function, "FROM x", Entry(interpreter, "function.py", "train"))


def test_a_digest_changes_with_what_is_installed_and_nothing_else(function):
    def digest(text, interpreter="3.11.7"):
        return read(function, text).digest(function, interpreter)

    text = "FROM x\nRUN pip install -r requirements.txt"
    first = digest(text)
    (function / "function.py").write_text("changed")
    assert digest(f"{text}\nRUN mkdir /x") == first
    others = [digest(f"{text} a"), digest(text, "3.12.1")]
    (function / "more.txt").write_text("pandas==3\n")
    others.append(digest(text))
    assert len({first, *others}) == 4


def test_lists_that_name_each_other_are_read_once(function):
    for number in range(40):
        after = f"-r list{(number + 1) % 40}.txt\n"
        (function / f"list{number}.txt").write_text(2 * after)
    files = read(function, "RUN pip install -r list0.txt").files
    assert [str(file) for file in files] == [f"list{number}.txt" for number in range(40)]

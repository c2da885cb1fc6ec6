"""The warnings about an opener agree with what substratools 1.0.0 makes of it."""

import sys

import pytest

from assets.datasets.namespaces import MAX_CLASSES
from assets.datasets.openers import inspect_opener

TOOLS = "import substratools as tools\n"
METHODS = """
    def get_data(self, folders): ...
    def fake_data(self, n_samples=None): ...
"""
WARD = f"class Ward(tools.Opener):{METHODS}"

# Nothing is wrong with these; `substratools.opener.load_from_module` loads them, if
# what they import is as they expect.
LOADED = {
    "as in its handbook": TOOLS + WARD,
    "from substratools": f"from substratools import Opener\nclass Ward(Opener):{METHODS}",
    "from its module": f"from substratools.opener import Opener as O\nclass W(O):{METHODS}",
    "its module": f"import substratools.opener\nclass W(substratools.opener.Opener):{METHODS}",
    "its own name": f"{TOOLS}class Opener(tools.Opener):{METHODS}",
    "a mixin": f"{TOOLS}class Fake:{METHODS}\nclass Ward(Fake, tools.Opener): ...",
    "a base of a module": f"import shared\nclass Ward(shared.HospitalOpener):{METHODS}",
    "a base that is deleted": f"{TOOLS}class Base(tools.Opener): ...\n"
    f"class Ward(Base):{METHODS}\ndel Base",
    "methods that are assigned": TOOLS + "def read(self, folders): ...\n"
    "class Ward(tools.Opener):\n    get_data = read\n    fake_data = staticmethod(len)\n",
    "methods that are imported": TOOLS + "class Ward(tools.Opener):\n"
    "    from os import listdir as get_data, walk as fake_data\n",
    "methods in a condition": f"import sys\n{TOOLS}class Ward(tools.Opener):\n"
    "    if sys.platform:\n        def get_data(self, folders): ...\n    fake_data = get_data\n",
    "only an import": "from shared import WardOpener\n",
    "a module that may be missing": "try:\n    import numpy\nexcept ImportError:\n    numpy = 0\n"
    + TOOLS
    + WARD,
    "another class that is run alone": f'{TOOLS}{WARD}\nif __name__ == "__main__":\n'
    "    class Trial(Ward): ...\n",
    "an import for types": f"import typing\n{TOOLS}{WARD}\nif typing.TYPE_CHECKING:\n"
    "    from shared import HospitalOpener\n",
    "generic": f"import abc\nfrom typing import Generic, TypeVar\n{TOOLS}T = TypeVar('T')\n"
    f"class Ward(tools.Opener, Generic[T], metaclass=abc.ABCMeta):{METHODS}",
    "a class that a call returns": f"{TOOLS}def make(): return type('W', (tools.Opener,), "
    "{'get_data': len, 'fake_data': len})\nWard = make()\n",
    "defaults": TOOLS + WARD + "    def __init__(self, seed=0, *rest, sep=';'): ...\n",
    "globals": f"{TOOLS}globals()['Ward'] = type('W', (tools.Opener,), "
    "{'get_data': len, 'fake_data': len})\n",
    "a coding line": "# -*- coding: latin-1 -*-\n# donnés\n" + TOOLS + WARD,
}

# Certainly refused, in these words.
REFUSED = {
    "no class": ("x = 1\n", "This file has no class"),
    "nothing": ("", "This file has no class"),
    "functions only": ("def get_data(): ...\ndef fake_data(): ...\n", "This file has no class"),
    "no opener": (
        f"{TOOLS}class Ward(object):{METHODS}",
        "not even Ward in line 2",
    ),
    "no opener, and half of its methods": (
        "class Opener:\n    def get_data(self, folders): ...\n",
        "not even Opener in line 1",
    ),
    "two": (f"{TOOLS}{WARD}class Second(Ward): ...\n", "2 classes that derive"),
    "a base that stays": (
        f"{TOOLS}class Base(tools.Opener): ...\nclass Ward(Base):{METHODS}",
        "2 classes that derive from substratools.Opener: Base, Ward",
    ),
    "two names": (f"{TOOLS}{WARD}Same = Ward\n", "2 classes"),
    "a method is missing": (
        TOOLS + "\nclass Ward(tools.Opener):\n    def get_data(self, folders): ...\n",
        "The class Ward in line 3 does not define fake_data",
    ),
    "the mixin comes last": (
        f"{TOOLS}class Fake:{METHODS}\nclass Ward(tools.Opener, Fake): ...",
        "does not define get_data, fake_data",
    ),
    "a method stays abstract": (
        "from abc import abstractmethod\n" + TOOLS + "class Ward(tools.Opener):\n"
        "    def fake_data(self, n): ...\n    @abstractmethod\n    def get_data(self, f): ...\n",
        "does not define get_data",
    ),
    "arguments": (
        TOOLS + WARD + "    def __init__(self, folder, *, sep): ...\n",
        "requires the arguments folder, sep",
    ),
    "syntax": ("x = 1\ndef broken(:\n", "in line 2"),
    "indentation": ("def f():\nreturn 1\n", "in line 2"),
    "a return outside": (TOOLS + WARD + "return 1\n", "'return' outside function"),
    "everything of substratools": (
        f"from substratools import *\nclass Ward(Opener):{METHODS}",
        '"from substratools import *"',
    ),
    "no UTF-8": (b"import os\n\nx = 'donn\xe9es'\n", "line 3 is not utf-8"),
    "not what its coding line says": (b"# coding: ascii\nx = '\xe9'\n", "line 2 is not ascii"),
    "unknown encoding": ("# coding: none-such\n", "none-such"),
}

# In doubt: this is shown, and no one is asked to confirm it.
DOUBTED = {
    "for another program": (f"class Opener:{METHODS}", "not even Opener in line 1"),
    "for another program, with a logger": (
        f"import logging\nlog = logging.getLogger(__name__)\nclass Ward(object):{METHODS}",
        "not even Ward in line 3",
    ),
    "a base that is imported by name": (
        f"from shared import HospitalOpener\nclass Ward(HospitalOpener):{METHODS}",
        'write "import shared" and derive the class from shared.HospitalOpener',
    ),
    "a slow encoding": ("# coding: punycode\n", "coding line: punycode"),
    "too deep": (f"x = {'-' * 20_000}1\n", "nested too deeply"),
}
NEWER = {
    (3, 12): 'x = {}\ny = f"{x["a"]}"\n',
    (3, 14): "try: ...\nexcept OSError, ValueError: ...\n",
}


def certain(source) -> list[str]:
    return [text for text, is_certain in advice_of(source) if is_certain]


def advice_of(source):
    return inspect_opener(source if isinstance(source, bytes) else source.encode("latin-1"))


@pytest.mark.parametrize("source", LOADED.values(), ids=LOADED)
def test_nothing_is_advised_about_what_loads(source):
    assert advice_of(source) == []


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_for_sure(source, words):
    (text,) = certain(source)
    assert words in text


@pytest.mark.parametrize(("source", "words"), DOUBTED.values(), ids=DOUBTED)
def test_what_is_in_doubt(source, words):
    ((text, is_certain),) = advice_of(source)
    assert words in text
    assert not is_certain


@pytest.mark.parametrize(("version", "source"), NEWER.items())
def test_syntax_of_a_newer_python(version, source):
    if sys.version_info[:2] >= version:
        pytest.skip("This Python reads it.")
    ((text, is_certain),) = advice_of(source)
    assert not is_certain
    this = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    assert text.startswith(f"{this} on this server cannot read this file")
    assert f"written for Python {version[0]}.{version[1]}" in text


def test_many_classes_are_not_followed():
    classes = ["class C0(tools.Opener): ..."]
    classes += [f"class C{n}(C{n - 1}): ..." for n in range(1, MAX_CLASSES + 10)]
    assert f"{MAX_CLASSES} classes" in certain(TOOLS + "\n".join(classes))[0][:30]

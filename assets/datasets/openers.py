"""What substratools 1.0 makes of a data opener. It is read as text, and never run or imported.

`substratools.opener.load_from_module` runs the file, takes the one class of its names that derives
from `substratools.Opener`, and makes an object of it without arguments.
"""

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.files.base import File

from ..common.text.reading import source_encoding
from .namespaces import METHODS, Namespace, Unknown

# Openers are small; parsing anything takes about a thousand times its size in memory.
MAX_PARSED = 200_000
PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
# What newer Pythons read, as far as a line shows it.
_NEWER = [
    # Quotes, backslashes and comments in f-strings; parameters of types.
    (
        (3, 12),
        re.compile(r"""\b(f|fr|rf)['"]|\b(class|def)\s+\w+\s*\[|^\s*type\s+\w""", re.I),
    ),
    ((3, 13), re.compile(r"\b(class|def|type)\s+\w+\s*\[[^\]]*=")),
    # Template strings; several exceptions without brackets.
    ((3, 14), re.compile(r"""\b(t|tr|rt)['"]|^\s*except\b[^()]*,""", re.I)),
    ((3, 15), re.compile(r"^\s*lazy\s|[\[{(]\s*\*.*\bfor\b")),
]
_AGAIN = "then choose the file again."


class Advice(NamedTuple):
    """What a user should know of an opener; is it certain that nothing loads it?"""

    text: str
    is_certain: bool = True


def opener_advice(file: File) -> list[str]:
    """Return what `inspect_opener` says of a file."""
    return [advice.text for advice in inspect_opener(_source(file))]


def cannot_be_loaded(file: File) -> bool:
    """Is it certain that nothing loads the opener, whatever is around it?"""
    return any(advice.is_certain for advice in inspect_opener(_source(file)))


def _source(file: File) -> bytes:
    """Return no more of a file than is needed."""
    file.seek(0)
    source = file.read(MAX_PARSED + 1)
    file.seek(0)
    return source


def inspect_opener(source: bytes) -> list[Advice]:
    """Return what its user should know before the opener is registered for good.

    An opener may be written for another Python, or find its class elsewhere. What is in doubt is
    never certain: the advice says so, or there is none.
    """
    if len(source) > MAX_PARSED:
        return [
            Advice(
                "This is large for an opener, so it was not looked into. "
                "Choose another file if you meant another one.",
                is_certain=False,
            )
        ]
    text = _decoded(source)
    tree = text if isinstance(text, Advice) else _parsed(text)
    if isinstance(tree, Advice):
        return [tree]
    try:
        return list(_advice_on(tree))
    except RecursionError:
        return []


def _decoded(source: bytes) -> str | bytes | Advice:
    """Return the text, or bytes of UTF-8 for Python itself to judge: it lets comments be wrong."""
    try:
        encoding = source_encoding(source)
        return source if encoding.startswith("utf-8") else source.decode(encoding)
    except LookupError as error:
        return Advice(
            f'Its coding line names an encoding that is not read here, "{error}", so it was not '
            "looked into. Save it as UTF-8 if you want it to be.",
            is_certain=False,
        )
    except UnicodeDecodeError as error:
        return _not_decoded(source, error)
    except SyntaxError as error:
        return Advice(f"Python cannot read it: {error.msg}. Save it as UTF-8, {_AGAIN}")


def _not_decoded(source: bytes, error: UnicodeDecodeError) -> Advice:
    line = source.count(b"\n", 0, error.start) + 1
    return Advice(
        f"Python cannot read it: line {line} is not {error.encoding}. Save it as UTF-8, or name "
        f"its encoding in the first line (# -*- coding: latin-1 -*-), {_AGAIN}"
    )


def _parsed(text: str | bytes) -> ast.Module | Advice:
    try:
        with warnings.catch_warnings():
            # Its style is up to its author; there may be a warning for each line.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            # Finds statements in the wrong place, such as `return` outside a function.
            compile(tree, "opener.py", "exec", dont_inherit=True)
            return tree
    except SyntaxError as error:
        try:
            shown = text if isinstance(text, str) else text.decode()
        except UnicodeDecodeError as fault:
            return _not_decoded(fault.object, fault)
        return _advice_on_syntax(error, shown)
    except ValueError as error:
        return Advice(f"Python cannot read it: {error}. Choose a Python file.")
    except (RecursionError, MemoryError):
        return Advice(
            f"{PYTHON}, which this server has, cannot read it: it is nested too deeply. "
            "Choose another file if you meant another one.",
            is_certain=False,
        )


def _advice_on_syntax(error: SyntaxError, text: str) -> Advice:
    first = error.lineno or 0
    where = f" in line {first}" if first else ""
    line = (error.text or "").strip()[:100]
    reason = f"{error.msg}{where}" + (f' ("{line}")' if line else "")
    # A pattern takes its time where a line does not end.
    lines = [line[:500] for line in text.split("\n")[max(first - 1, 0) : error.end_lineno or first]]
    for version, pattern in _NEWER:
        is_newer = version > sys.version_info[:2] and any(map(pattern.search, lines))
        if is_newer and not isinstance(error, IndentationError):
            return Advice(
                f"{PYTHON}, which this server has, does not know this: {reason}. Python "
                f"{version[0]}.{version[1]} may: if the opener is written for that, register it "
                f"as it is. Otherwise fix it in an editor, {_AGAIN}",
                is_certain=False,
            )
    return Advice(
        f"{PYTHON}, which this server has, cannot read it: {reason}. Fix it in an editor, {_AGAIN}"
    )


def _advice_on(tree: ast.Module) -> Iterator[Advice]:
    names = Namespace(tree)
    if any(map(_imports_everything, tree.body)):
        yield Advice(
            'substratools refuses "from substratools import *". Write '
            f'"from substratools import Opener", {_AGAIN}'
        )
    if names.is_open:
        return
    found = names.openers()
    if len(found) > 1:
        yield Advice(
            f"It has {len(found)} classes that derive from substratools.Opener: "
            f"{', '.join(found)}. substratools loads a file with one. Keep one of them; if it "
            "derives from another, put that one into a file of its own, import the file and not "
            f"the class, {_AGAIN}"
        )
    elif found:
        (opener,) = found.values()
        yield from _advice_on_class(opener, names.statements[opener])
    elif doubts := names.unknown():
        yield from _advice_on_imports(tree, doubts)
    else:
        yield _no_opener(tree)


def _imports_everything(node: ast.stmt) -> bool:
    # Its list of public names holds modules, and Python stops at these.
    match node:
        case ast.ImportFrom(module="substratools", names=[ast.alias(name="*")], level=0):
            return True
    return False


def _advice_on_class(opener: Any, statement: ast.ClassDef) -> Iterator[Advice]:
    called = f"The class {statement.name} in line {statement.lineno}"
    if missing := [name for name in METHODS if name in opener.__abstractmethods__]:
        yield Advice(
            f"{called} has no {' and '.join(missing)}. An opener has both get_data and "
            f"fake_data: add what is missing, {_AGAIN}"
        )
    if opener.needs:
        yield Advice(
            f"{called} is made with {', '.join(opener.needs)}, but substratools makes it without "
            f"arguments. Give each a default, {_AGAIN}"
        )


def _advice_on_imports(tree: ast.Module, doubts: dict[str, Unknown]) -> Iterator[Advice]:
    """Say what substratools refuses if a name that is imported is what it seems to be."""
    imported = {name: value.module for name, value in doubts.items() if value.module}
    for statement in _classes(tree):
        for base in statement.bases:
            # Whoever calls it so means the one of substratools.
            if isinstance(base, ast.Name) and base.id in imported and base.id != "Opener":
                name, module = base.id, imported[base.id]
                yield Advice(
                    f"substratools loads a file with one opener. If {name} derives from "
                    f"substratools.Opener too, there are two here, {name} and {statement.name}, "
                    f'and it is refused: then write "import {module}" and base the class on '
                    f"{module}.{name}.",
                    is_certain=False,
                )


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _no_opener(tree: ast.Module) -> Advice:
    if not (classes := _classes(tree)):
        return Advice(
            "It has no class. An opener is a class that derives from substratools.Opener, with "
            f"the methods get_data and fake_data: write one, {_AGAIN}"
        )
    best = max(classes, key=lambda node: len({*METHODS} & {*_methods(node)}))
    # Whoever imports substratools writes for it. Other programs may go by the methods alone.
    is_for_others = {*METHODS} <= {*_methods(best)} and not _imports_substratools(tree)
    return Advice(
        f"The class {best.name} in line {best.lineno} does not derive from substratools.Opener, "
        f'and no other does. Write "import substratools" and "class {best.name}'
        f'(substratools.Opener)", {_AGAIN}',
        is_certain=not is_for_others,
    )


def _imports_substratools(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                modules = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case _:
                continue
        if any(module.split(".")[0] == "substratools" for module in modules):
            return True
    return False


def _methods(node: ast.ClassDef) -> list[str]:
    return [item.name for item in node.body if isinstance(item, ast.FunctionDef)]

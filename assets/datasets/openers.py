"""Warnings about data openers that substratools 1.0 cannot load. Openers are read, never run.

`substratools.opener.load_from_module` runs the file, takes the one class in it that derives from
`substratools.Opener`, and instantiates it without arguments.
"""

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.files.base import File
from django.utils.translation import gettext as _

from ..common.text.reading import source_encoding
from .namespaces import METHODS, Namespace, Unknown

# Openers are small, and parsing takes about a thousand times the size of the file in memory.
MAX_PARSED = 200_000
PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
# Syntax of newer Pythons, as far as a single line shows it.
_NEWER = [
    # Quotes, backslashes and comments in f-strings; parameters of types.
    ((3, 12), re.compile(r"""\b(f|fr|rf)['"]|\b(class|def)\s+\w+\s*\[|^\s*type\s+\w""", re.I)),
    ((3, 13), re.compile(r"\b(class|def|type)\s+\w+\s*\[[^\]]*=")),
    # Template strings; several exceptions without brackets.
    ((3, 14), re.compile(r"""\b(t|tr|rt)['"]|^\s*except\b[^()]*,""", re.I)),
    ((3, 15), re.compile(r"^\s*lazy\s|[\[{(]\s*\*.*\bfor\b")),
]


class Advice(NamedTuple):
    """A warning about an opener, and whether it is certain that substratools cannot load it."""

    text: str
    is_certain: bool = True


def opener_advice(file: File) -> list[str]:
    """Return the warnings of `inspect_opener` about a file."""
    return [advice.text for advice in inspect_opener(_source(file))]


def cannot_be_loaded(file: File) -> bool:
    """Return whether it is certain that substratools cannot load the opener."""
    return any(advice.is_certain for advice in inspect_opener(_source(file)))


def _source(file: File) -> bytes:
    """Return the start of a file, as much as `inspect_opener` needs."""
    file.seek(0)
    source = file.read(MAX_PARSED + 1)
    file.seek(0)
    return source


def inspect_opener(source: bytes) -> list[Advice]:
    """Return warnings about an opener, to show before it is registered.

    An opener may be written for another Python, or import its class. A warning about something
    that cannot be known here is not certain.
    """
    if len(source) > MAX_PARSED:
        return [
            Advice(
                _(
                    "This file is too large to check. Choose another file if it is not the opener "
                    "that you meant."
                ),
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
    """Return the text, or UTF-8 as bytes, because Python accepts invalid bytes in comments."""
    try:
        encoding = source_encoding(source)
        return source if encoding.startswith("utf-8") else source.decode(encoding)
    except LookupError as error:
        return Advice(
            _(
                "This file was not checked because of the encoding in its coding line: "
                "%(reason)s. Save it as UTF-8 to have it checked."
            )
            % {"reason": error},
            is_certain=False,
        )
    except UnicodeDecodeError as error:
        return _not_decoded(source, error)
    except SyntaxError as error:
        message = _(
            "Python cannot read this file: %(reason)s. Save it as UTF-8, then choose it again."
        )
        return Advice(message % {"reason": error.msg})


def _not_decoded(source: bytes, error: UnicodeDecodeError) -> Advice:
    line = source.count(b"\n", 0, error.start) + 1
    message = _(
        "Python cannot read this file: line %(line)d is not %(encoding)s. Save it as UTF-8, or "
        "declare its encoding in the first line (# -*- coding: latin-1 -*-), then choose it again."
    )
    return Advice(message % {"line": line, "encoding": error.encoding})


def _parsed(text: str | bytes) -> ast.Module | Advice:
    try:
        with warnings.catch_warnings():
            # Warnings are about style, and there may be one for each line.
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
        message = _("Python cannot read this file: %(reason)s. Choose a Python file.")
        return Advice(message % {"reason": error})
    except (RecursionError, MemoryError):
        return Advice(
            _(
                "%(python)s on this server cannot read this file: it is nested too deeply. Choose "
                "another file if it is not the opener that you meant."
            )
            % {"python": PYTHON},
            is_certain=False,
        )


def _advice_on_syntax(error: SyntaxError, text: str) -> Advice:
    first = error.lineno or 0
    line = (error.text or "").strip()[:100]
    reason = error.msg
    if first:
        reason = _("%(reason)s in line %(line)d") % {"reason": reason, "line": first}
    if line:
        reason = f'{reason} ("{line}")'
    values: dict[str, Any] = {"python": PYTHON, "reason": reason}
    # The patterns are slow on long lines.
    lines = [line[:500] for line in text.split("\n")[max(first - 1, 0) : error.end_lineno or first]]
    for version, pattern in _NEWER:
        is_newer = version > sys.version_info[:2] and any(map(pattern.search, lines))
        if is_newer and not isinstance(error, IndentationError):
            message = _(
                "%(python)s on this server cannot read this file: %(reason)s. If it is written for "
                "Python %(version)s, you can register it. Otherwise, fix it, then choose it again."
            )
            values["version"] = f"{version[0]}.{version[1]}"
            return Advice(message % values, is_certain=False)
    message = _(
        "%(python)s on this server cannot read this file: %(reason)s. Fix it, then choose it again."
    )
    return Advice(message % values)


def _advice_on(tree: ast.Module) -> Iterator[Advice]:
    names = Namespace(tree)
    if any(map(_imports_everything, tree.body)):
        yield Advice(
            _(
                'substratools does not allow "from substratools import *". Write '
                '"from substratools import Opener", then choose the file again.'
            )
        )
    if names.is_open:
        return
    found = names.openers()
    if len(found) > 1:
        message = _(
            "This file has %(count)d classes that derive from substratools.Opener: %(names)s. "
            "substratools loads only one. Keep one of them. If it derives from another one, "
            "move that one into its own file and import the file, not the class. Then choose the "
            "file again."
        )
        yield Advice(message % {"count": len(found), "names": ", ".join(found)})
    elif found:
        (opener,) = found.values()
        yield from _advice_on_class(opener, names.statements[opener])
    elif doubts := names.unknown():
        yield from _advice_on_imports(tree, doubts)
    else:
        yield _no_opener(tree)


def _imports_everything(node: ast.stmt) -> bool:
    # Its list of public names includes modules that cannot be imported this way.
    match node:
        case ast.ImportFrom(module="substratools", names=[ast.alias(name="*")], level=0):
            return True
    return False


def _advice_on_class(opener: Any, statement: ast.ClassDef) -> Iterator[Advice]:
    values = {"name": statement.name, "line": statement.lineno}
    if missing := [name for name in METHODS if name in opener.__abstractmethods__]:
        message = _(
            "The class %(name)s in line %(line)d does not define %(missing)s. An opener needs both "
            "get_data and fake_data. Add what is missing, then choose the file again."
        )
        yield Advice(message % {**values, "missing": ", ".join(missing)})
    if opener.needs:
        message = _(
            "The class %(name)s in line %(line)d requires the arguments %(arguments)s, but "
            "substratools passes none. Give each a default, then choose the file again."
        )
        yield Advice(message % {**values, "arguments": ", ".join(opener.needs)})


def _advice_on_imports(tree: ast.Module, doubts: dict[str, Unknown]) -> Iterator[Advice]:
    """Yield a warning for each imported base class that is probably an opener itself."""
    imported = {name: value.module for name, value in doubts.items() if value.module}
    for statement in _classes(tree):
        for base in statement.bases:
            # A class named Opener is the one of substratools.
            if isinstance(base, ast.Name) and base.id in imported and base.id != "Opener":
                name, module = base.id, imported[base.id]
                message = _(
                    "substratools loads a file with one opener only. If %(base)s also derives from "
                    "substratools.Opener, this file has two: %(base)s and %(name)s. In that case, "
                    'write "import %(module)s" and derive the class from %(module)s.%(base)s.'
                )
                values = {"base": name, "name": statement.name, "module": module}
                yield Advice(message % values, is_certain=False)


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _no_opener(tree: ast.Module) -> Advice:
    if not (classes := _classes(tree)):
        return Advice(
            _(
                "This file has no class. An opener is a class that derives from "
                "substratools.Opener and has the methods get_data and fake_data. Add one, then "
                "choose the file again."
            )
        )
    best = max(classes, key=lambda node: len({*METHODS} & {*_methods(node)}))
    # A file that does not import substratools may be for a program that only needs the methods.
    is_for_others = {*METHODS} <= {*_methods(best)} and not _imports_substratools(tree)
    message = _(
        "No class in this file derives from substratools.Opener, not even %(name)s in line "
        '%(line)d. Write "import substratools" and "class %(name)s(substratools.Opener)", then '
        "choose the file again."
    )
    values = {"name": best.name, "line": best.lineno}
    return Advice(message % values, is_certain=not is_for_others)


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

"""What a data opener looks like from outside. It is read as text, and never run or imported."""

import ast
import warnings

from django.core.files.base import File

# Openers are small; parsing anything takes about a thousand times its size in memory.
MAX_PARSED = 200_000
METHODS = ("get_data", "fake_data")


def opener_advice(file: File) -> list[str]:
    """Return what `inspect_opener` says of a file, of which no more is read than that needs."""
    file.seek(0)
    source = file.read(MAX_PARSED + 1)
    file.seek(0)
    return inspect_opener(source)


def inspect_opener(source: bytes) -> list[str]:
    """Return what its user had better know before the opener is registered for good.

    None of it keeps anybody from registering: an opener may be written for another Python, or find
    its class elsewhere.
    """
    if len(source) > MAX_PARSED:
        return [
            "This is large for an opener, so it was not looked into. "
            "Choose another file if you meant another one."
        ]
    try:
        with warnings.catch_warnings():
            # Of its style nobody asked; there may be one for each line.
            warnings.simplefilter("ignore")
            # Bytes, so that a coding line is heeded.
            tree = ast.parse(source)
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        line = (error.text or "").strip()[:100]
        quoted = f' ("{line}")' if line else ""
        return [
            f"Python cannot read it: {error.msg}{where}{quoted}. "
            "Mend it in an editor, then choose the file again."
        ]
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or "it is nested too deeply"
        return [f"Python cannot read it: {reason}. Choose a Python file."]
    return [] if any(_opens(node) for node in ast.walk(tree)) else [_no_class(tree)]


def _opens(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and set(METHODS) <= set(_methods(node))


def _methods(node: ast.ClassDef) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [item.name for item in node.body if isinstance(item, functions)]


def _no_class(tree: ast.Module) -> str:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    if not classes:
        return (
            "It has no class. An opener is a class with the methods get_data and fake_data: "
            "write one, then choose the file again."
        )
    best = max(classes, key=lambda node: len(set(METHODS) & set(_methods(node))))
    missing = " and ".join(name for name in METHODS if name not in _methods(best))
    return (
        f"The class {best.name} in line {best.lineno} has no {missing}. An opener has both "
        "get_data and fake_data: add what is missing, then choose the file again."
    )

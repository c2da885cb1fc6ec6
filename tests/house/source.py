"""The source as the tests of the house read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
# What others wrote or generated: migrations, and the files of the demo's people.
FOREIGN = (ASSETS / "migrations", ASSETS / "demo" / "files")


def modules(folder: Path = ASSETS) -> list[Path]:
    found = (path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    return sorted(path for path in found if not any(map(path.is_relative_to, FOREIGN)))


def name_of(path: Path) -> str:
    """The path as tests show it, such as ``assets/compute/api/plans.py``."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls_in(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))


def imports_of(path: Path) -> Iterator[str]:
    """The absolute names that the module imports, ``from x import y`` as ``x.y``."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions_in(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, kinds))

"""Which blocks of the source a test runs.

After `install`, every block of `assets` and `project` (the body of a function, a branch, a loop, a
handler) adds its key to `SEEN` when it runs. A function that returns a bool also adds which one.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("assets", "project")
FOREIGN = ("assets.migrations", "assets.demo")

SEEN: set[str] = set()
_NOTE = "__note_block__"
_NOTE_RESULT = "__note_result__"


def key_of(path: str, node: ast.AST, mark: str = "") -> str:
    """Return the key of the block whose first statement is `node`."""
    return f"{path}:{node.lineno}{mark}"  # type: ignore[attr-defined]


def first_statement(body: list[ast.stmt]) -> ast.stmt:
    """Return the statement that names a block: the first after a docstring."""
    is_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1] if is_docstring and len(body) > 1 else body[0]


def blocks_of(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Return the blocks that a statement has."""
    if isinstance(node, ast.FunctionDef | ast.If | ast.For | ast.While | ast.ExceptHandler):
        yield node.body
    if isinstance(node, ast.match_case):
        yield node.body
    if isinstance(node, ast.If | ast.For | ast.While | ast.Try) and node.orelse:
        yield node.orelse


def returns_bool(node: ast.FunctionDef) -> bool:
    return isinstance(node.returns, ast.Name) and node.returns.id == "bool"


class _Instrument(ast.NodeTransformer):
    def __init__(self, path: str) -> None:
        self.path = path
        self.in_bool: list[bool] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.in_bool.append(returns_bool(node))
        self.visit_blocks(node)
        self.in_bool.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if self.in_bool and self.in_bool[-1] and node.value:
            key = ast.Constant(key_of(self.path, node))
            call = ast.Call(ast.Name(_NOTE_RESULT, ast.Load()), [key, node.value], [])
            node.value = call
        return node

    def visit_blocks(self, node: ast.AST) -> ast.AST:
        found = list(blocks_of(node))
        keys = [key_of(self.path, first_statement(block)) for block in found]
        if isinstance(node, ast.If) and not node.orelse:
            found.append(node.orelse)
            keys.append(key_of(self.path, node, "~"))
        self.generic_visit(node)
        for block, key in zip(found, keys, strict=True):
            note = ast.Call(ast.Name(_NOTE, ast.Load()), [ast.Constant(key)], [])
            at = 1 if block and first_statement(block) is not block[0] else 0
            block.insert(at, ast.Expr(note))
        return node

    visit_If = visit_For = visit_While = visit_Try = visit_blocks
    visit_ExceptHandler = visit_match_case = visit_blocks


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str):
        source = self.get_data(self.path)
        tree = ast.parse(source)
        path = Path(self.path).relative_to(ROOT).as_posix()
        tree = ast.fix_missing_locations(_Instrument(path).visit(tree))
        return compile(tree, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name.split(".")[0] not in PACKAGES or name.startswith(FOREIGN):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def _note_result(key: str, value: object) -> object:
    SEEN.add(f"{key}={bool(value)}")
    return value


def install() -> None:
    """Record blocks in every module of the project that is imported from now on."""
    setattr(builtins, _NOTE, SEEN.add)
    setattr(builtins, _NOTE_RESULT, _note_result)
    sys.meta_path.insert(0, _Finder())

"""The nodes of a module that can be changed, each with its parents and its name."""

import ast
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .blocks import FOREIGN, ROOT, blocks_of, first_statement, key_of

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def modules(package: str = "assets") -> list[Path]:
    """Return the modules that are mutated: ours, but for migrations and the demo."""
    found = (path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))
    foreign = tuple(f"{name}.".replace(".", "/") for name in FOREIGN)
    return sorted(path for path in found if not path.as_posix().startswith(foreign))


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a module, and its parents, the outermost first."""

    node: ast.AST
    parents: tuple[ast.AST, ...]
    field: str  # of the last parent: what holds the node
    index: int | None  # in that field, if it is a list

    @property
    def parent(self) -> ast.AST:
        return self.parents[-1]

    @property
    def functions(self) -> list[FUNCTIONS]:
        return [node for node in self.parents if isinstance(node, FUNCTIONS)]

    @property
    def function(self) -> FUNCTIONS | None:
        """The innermost function around the node, or that the node is."""
        if isinstance(self.node, FUNCTIONS):
            return self.node
        return self.functions[-1] if self.functions else None

    @property
    def qualname(self) -> str:
        """The names of the classes and functions around the node, or that it is."""
        around = [*self.parents, self.node]
        names = [node.name for node in around if isinstance(node, FUNCTIONS | ast.ClassDef)]
        return ".".join(names) or "(module)"

    @property
    def siblings(self) -> list[ast.stmt]:
        """The statements beside this one; empty unless it stands in a list."""
        return getattr(self.parent, self.field) if self.index is not None else []

    def replace(self, new: ast.AST) -> None:
        """Put another node in this one's place."""
        ast.copy_location(new, self.node)
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new

    def block(self, path: str) -> str | None:
        """Return the key of the innermost block around the node; None in no function.

        For a function, it is the block of its body.
        """
        if isinstance(self.node, FUNCTIONS):
            return key_of(path, first_statement(self.node.body))
        chain = (*self.parents, self.node)
        for around, inside in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
            for block in blocks_of(around):
                if any(inside is statement for statement in block):
                    return key_of(path, first_statement(block))
        return None


def places(tree: ast.Module) -> Iterator[Place]:
    """Every node of a module but type annotations, in the order of the source."""
    yield from _below(tree, ())


def _below(node: ast.AST, parents: tuple[ast.AST, ...]) -> Iterator[Place]:
    parents = (*parents, node)
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "ctx", "op", "type_params"):
            continue
        many = isinstance(value, list)
        for index, child in enumerate(value if many else [value]):
            if isinstance(child, ast.AST):
                yield Place(child, parents, field, index if many else None)
                yield from _below(child, parents)


def is_prose(text: object) -> bool:
    return isinstance(text, str) and (" " in text or text.endswith("."))


class _Blank(ast.NodeTransformer):
    """Leaves out texts for people, so that rewording a message makes no other mutant."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("…") if is_prose(node.value) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        return ast.Constant("…") if any(map(is_prose, texts)) else node


def header_of(node: ast.AST) -> ast.AST:
    """Return what names a statement: the statement, or the head of one that has a body."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return node.test
    if isinstance(node, FUNCTIONS):
        return node.args
    if isinstance(node, ast.ExceptHandler):
        return node.type or ast.Constant("except")
    if isinstance(node, ast.With):
        return ast.Tuple([item.context_expr for item in node.items], ast.Load())
    return node


def shown(node: ast.AST) -> str:
    """Return the source of a node, or of its head, in one line."""
    return " ".join(ast.unparse(header_of(node)).split())


def digest_of(node: ast.AST) -> str:
    """Return a short digest of a node's source, the same after rewording or formatting it."""
    text = ast.unparse(_Blank().visit(copy.deepcopy(header_of(node))))
    return hashlib.sha256(text.encode()).hexdigest()[:8]

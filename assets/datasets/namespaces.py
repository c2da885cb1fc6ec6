"""The names that a Python module defines once it is loaded, as far as its source shows them.

The source is never run. Classes are rebuilt as empty ones with the same bases, so that Python
itself resolves inherited and abstract methods. What cannot be known is `Unknown`.
"""

import abc
import ast
import builtins
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

METHODS = ("get_data", "fake_data")
# Every class stores all of its ancestors, so their number has to be limited.
MAX_CLASSES = 100


class Opener(abc.ABC):
    """Stands for `substratools.Opener`."""

    # The required arguments of `__init__`.
    needs: ClassVar[list[str]] = []

    @abc.abstractmethod
    def get_data(self) -> None: ...

    @abc.abstractmethod
    def fake_data(self) -> None: ...


@dataclass(frozen=True)
class Module:
    """A module, or something in a module of the standard library."""

    name: str

    @property
    def is_standard(self) -> bool:
        return self.name.split(".")[0] in sys.stdlib_module_names


@dataclass(frozen=True)
class Unknown:
    """Possibly a class; `module` is where it is imported from, if it is imported by name."""

    module: str = ""


@dataclass(frozen=True)
class Other:
    """Certainly not a class."""


Value = type | Module | Unknown | Other

# Names that change a module in ways that its statements do not show.
_HIDDEN_WAYS = {"exec", "eval", "globals", "locals", "vars", "setattr", "delattr", "__import__"}
_HIDDEN_WAYS |= {"modules", "__dict__", "__abstractmethods__", "__bases__"}
_HIDDEN_WAYS |= {"update_abstractmethods"}
# Calls of functions in these modules never return a class; of built-in functions, only a few do.
_RETURN_VALUES = {"datetime", "json", "logging", "math", "os", "pathlib", "random", "re", "time"}
_RETURN_CLASSES = {"type", "getattr", "next", "max", "min", "super"}
_LITERALS = (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda)
_COMPUTED = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Compare, ast.UnaryOp)
_NEVER_CLASSES = (*_LITERALS, *_COMPUTED, ast.BinOp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Namespace:
    """The names that a module defines once it is loaded."""

    def __init__(self, tree: ast.Module) -> None:
        self.names: dict[str, Value] = {}
        # The statements of the classes that are rebuilt.
        self.statements: dict[type, ast.ClassDef] = {}
        # Whether there may be names that the source does not show.
        self.is_open = any(map(_is_hidden_way, ast.walk(tree)))
        self._read(tree.body, maybe=False)

    def openers(self) -> dict[str, type]:
        """Return the classes that derive from `substratools.Opener`, by name."""
        return {
            name: value
            for name, value in sorted(self.names.items())
            if isinstance(value, type) and value is not Opener and Opener in value.__mro__
        }

    def unknown(self) -> dict[str, Unknown]:
        """Return the values that may be openers, by name."""
        return {name: value for name, value in self.names.items() if isinstance(value, Unknown)}

    # --- Statements -----------------------------------------------------------------------------

    def _read(self, statements: Iterable[ast.stmt], *, maybe: bool) -> None:
        for statement in statements:
            self._read_one(statement, maybe=maybe)

    def _read_one(self, node: ast.stmt, *, maybe: bool) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    name = alias.name if alias.asname else alias.name.split(".")[0]
                    self._bind(alias.asname or name, Module(name), maybe)
            case ast.ImportFrom(names=aliases):
                self._import_from(node, maybe)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._bind(node.name, Unknown() if node.decorator_list else Other(), maybe)
            case ast.ClassDef():
                self._bind(node.name, self._rebuilt(node), maybe)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, maybe)
            case ast.AnnAssign(target=target, value=value):
                if value is not None:
                    self._assign(target, value, maybe)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target, maybe)
            case ast.AugAssign():
                pass
            case ast.If(test=test, orelse=otherwise) if _is_for_others(test):
                self._read(otherwise, maybe=maybe)
            case _:
                self._read_inside(node)

    def _read_inside(self, node: ast.AST) -> None:
        """Read the statements inside another one, which may not run."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._read_one(child, maybe=True)
            elif isinstance(child, ast.expr | ast.withitem):
                for name in _stored(child):
                    self._bind(name, Unknown(), maybe=True)
            else:
                self._read_inside(child)

    def _import_from(self, node: ast.ImportFrom, maybe: bool) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name != "*":
                value = _inside(Module(module), alias.name)
                self._bind(alias.asname or alias.name, value, maybe)
            elif not Module(module).is_standard:
                self.is_open = True

    def _assign(self, target: ast.expr, value: ast.expr, maybe: bool) -> None:
        if isinstance(target, ast.Name):
            found = self._value(value)
            # Such as dict[str, int], which is no class itself.
            is_item = isinstance(value, ast.Subscript) and not isinstance(found, Unknown)
            self._bind(target.id, Other() if is_item else found, maybe)
        elif (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._assign(one, its, maybe)
        else:
            for name in _stored(target):
                self._bind(name, Unknown(), maybe)

    def _delete(self, target: ast.expr, maybe: bool) -> None:
        if isinstance(target, ast.Name) and (old := self.names.pop(target.id, None)) and maybe:
            self.names[target.id] = Unknown() if isinstance(old, type) else old

    def _bind(self, name: str, value: Value, maybe: bool) -> None:
        if maybe:
            old = self.names.get(name)
            if isinstance(value, type) or isinstance(old, type | Unknown):
                value = Unknown()
            elif old not in (None, value):
                value = Other() if isinstance(value, Module | Other) else Unknown()
        self.names[name] = value

    # --- Classes --------------------------------------------------------------------------------

    def _rebuilt(self, node: ast.ClassDef) -> Value:
        """Return an empty class with the same own and inherited methods, if they can be known."""
        plain = all(map(self._is_abc_meta, node.keywords)) and not node.decorator_list
        bases = [self._base(base) for base in node.bases]
        if not plain or None in bases or len(self.statements) >= MAX_CLASSES:
            return Unknown()
        try:
            made: Any = abc.ABCMeta("Rebuilt", tuple(bases), self._members(node))
        except TypeError:  # their order makes no sense
            return Unknown()
        self.statements[made] = node
        return made

    def _is_abc_meta(self, keyword: ast.keyword) -> bool:
        return keyword.arg == "metaclass" and self._value(keyword.value) == Module("abc.ABCMeta")

    def _base(self, node: ast.expr) -> Any:
        value = self._value(node)
        if isinstance(value, Module) and value.is_standard:
            return type("Standard", (), {})
        return value if isinstance(value, type) else None

    def _members(self, node: ast.ClassDef) -> dict[str, Any]:
        bound = dict.fromkeys(_bound_in(node))
        functions = {item.name: item for item in node.body if isinstance(item, _FUNCTIONS)}
        members: dict[str, Any] = {}
        for name in METHODS:
            if name in bound:
                members[name] = stub = lambda self: None
                function = functions.get(name)
                if function and any(map(self._is_abstract, function.decorator_list)):
                    members[name] = abc.abstractmethod(stub)
        if {"__init__", "__new__"} & set(bound):
            function = functions.get("__init__")
            plain = function and not function.decorator_list and "__new__" not in bound
            members["needs"] = _needs(function.args) if function and plain else []
        return members

    def _is_abstract(self, decorator: ast.expr) -> bool:
        return self._value(decorator) == Module("abc.abstractmethod")

    # --- Values ---------------------------------------------------------------------------------

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id=name):
                return self.names[name] if name in self.names else _builtin(name)
            case ast.Attribute(value=value, attr=name):
                found = self._value(value)
                return _inside(found, name) if isinstance(found, Module) else Unknown()
            case ast.Subscript(value=value):
                # Such as Generic[T].
                return self._value(value)
            case ast.Call(func=function):
                return Other() if self._returns_a_value(function) else Unknown()
        return Other() if isinstance(node, _NEVER_CLASSES) else Unknown()

    def _returns_a_value(self, function: ast.expr) -> bool:
        found = self._value(function)
        if isinstance(found, Module):
            root, _, rest = found.name.partition(".")
            return root in _RETURN_VALUES or (root == "builtins" and rest not in _RETURN_CLASSES)
        # Calling a class of this file returns an instance.
        return isinstance(found, type)


def _builtin(name: str) -> Value:
    if name == "object":
        return object
    return Module(f"builtins.{name}") if hasattr(builtins, name) else Unknown()


def _inside(module: Module, name: str) -> Value:
    inner = Module(f"{module.name}.{name}")
    if inner.name in ("substratools.Opener", "substratools.opener.Opener"):
        return Opener
    known = inner.is_standard or inner.name.startswith("substratools.")
    return inner if known else Unknown(module.name)


def _is_hidden_way(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _HIDDEN_WAYS
    return isinstance(node, ast.Global)


def _is_for_others(test: ast.expr) -> bool:
    """Return whether the condition is false when substratools loads the module."""
    match test:
        case ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]):
            return True
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id


def _bound_in(node: ast.ClassDef) -> Iterator[str]:
    """Yield every name that the body of a class may bind, and some more."""
    for statement in node.body:
        if isinstance(statement, _FUNCTIONS):
            yield statement.name
            continue
        for child in ast.walk(statement):
            if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
                yield child.name
            elif isinstance(child, ast.alias):
                yield child.asname or child.name
        yield from _stored(statement)


def _needs(arguments: ast.arguments) -> list[str]:
    """Return the arguments without a default, except `self`."""
    placed = [*arguments.posonlyargs, *arguments.args]
    placed = placed[: len(placed) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [item.arg for item in placed[1:]] + [item.arg for item, value in named if value is None]

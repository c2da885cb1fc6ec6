"""Turn a process that has imported everything into a mutant: replace the code of functions."""

import ast
import functools
import gc
import importlib
import sys
from collections import defaultdict
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .blocks import ROOT
from .mutants import Mutant, mutated
from .operators import name_of
from .source import FUNCTIONS, Place, modules


class Unchanged(Exception):
    """The change has no effect, or none that a running process can take over."""


class Patcher:
    """Knows all functions of the project in this process, by the file that defines them."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        for path in modules():
            name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            self.modules[path.as_posix()] = importlib.import_module(name)
        gc.collect()
        self.functions: dict[str, list[FunctionType]] = defaultdict(list)
        self.wrappers: dict[int, list[FunctionType]] = defaultdict(list)
        self.caches: list[Any] = []
        root = f"{ROOT}/"
        for found in gc.get_objects():
            if isinstance(found, FunctionType):
                if found.__code__.co_filename.startswith(root):
                    self.functions[found.__code__.co_filename.removeprefix(root)].append(found)
                if inner := found.__dict__.get("__wrapped__"):
                    self.wrappers[id(inner)].append(found)
            elif isinstance(found, functools._lru_cache_wrapper):
                self.caches.append(found)

    def apply(self, mutant: Mutant) -> None:
        """Let this process run the mutant from now on.

        Raises:
            Unchanged: the process would run the same code as before.
        """
        tree, place = mutated(mutant)
        if place.function is None:
            self._set(mutant.path, place)
        elif mutant.operator == "atomic-removed" and isinstance(place.node, FUNCTIONS):
            self._bypass(mutant.path, place)
        else:
            self._swap(mutant.path, tree)
        for cache in self.caches:
            cache.cache_clear()

    def _swap(self, path: str, tree: ast.Module) -> None:
        """Give every function of the module the code that the changed source has for it."""
        now: dict[tuple, list[CodeType]] = defaultdict(list)
        code = compile(tree, str(ROOT / path), "exec", dont_inherit=True)
        for new in _codes(code):
            now[_name(new)].append(new)
        done = 0
        before: dict[tuple, dict[CodeType, list[FunctionType]]] = defaultdict(dict)
        for function in self.functions[path]:
            before[_name(function.__code__)].setdefault(function.__code__, []).append(function)
        for name, olds in before.items():
            # Several of one name in one line are lambdas, in the order of the source.
            for (old, functions), new in zip(olds.items(), now.get(name, ()), strict=False):
                if new != old:
                    for function in functions:
                        function.__code__ = new
                        done += 1
        if not done:
            raise Unchanged

    def _bypass(self, path: str, place: Place) -> None:
        """Let the wrapper that a decorator made call the function, and do nothing else."""
        done = 0
        for function in self.functions[path]:
            if function.__code__.co_qualname == place.qualname:
                for wrapper in self.wrappers.get(id(function), ()):
                    wrapper.__code__ = _calling(wrapper, function)
                    done += 1
        if not done:
            raise Unchanged

    def _set(self, path: str, place: Place) -> None:
        """Set a constant of a module, wherever it was imported, or an attribute of a class."""
        module = self.modules[path]
        statement: Any = next(
            node for node in reversed((*place.parents, place.node)) if isinstance(node, ast.Assign)
        )
        name = name_of(statement.targets[0])
        value = eval(  # noqa: S307
            compile(ast.Expression(statement.value), path, "eval"), vars(module).copy()
        )
        holder: Any = module
        for around in place.parents:
            if isinstance(around, ast.ClassDef):
                holder = getattr(holder, around.name, None)
        if not hasattr(holder, name):
            raise Unchanged
        before = getattr(holder, name)
        if isinstance(holder, ModuleType):
            for other in list(sys.modules.values()):
                ours = getattr(other, "__name__", "").startswith("assets")
                if ours and vars(other).get(name, ...) == before:
                    setattr(other, name, value)
        else:
            setattr(holder, name, value)


def _name(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType):
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _calling(wrapper: FunctionType, function: FunctionType) -> CodeType:
    """Return code for the wrapper, with the same free variables, that calls the function."""
    names, cells = wrapper.__code__.co_freevars, wrapper.__closure__ or ()
    named = zip(names, cells, strict=True)
    inner = next((name for name, cell in named if cell.cell_contents is function), None)
    if inner is None:
        raise Unchanged
    lines = [f"def make({', '.join(names)}):", " def call(*args, **kwargs):"]
    lines += [f"  ({', '.join(names)},)", f"  return {inner}(*args, **kwargs)", " return call"]
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)  # noqa: S102
    return scope["make"](*[None] * len(names)).__code__

"""The list of mutants: found in the source, with ids that survive moves, and sampled."""

import ast
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .blocks import ROOT, first_statement, key_of
from .operators import GENERAL, OPERATORS, Change, name_of
from .source import FUNCTIONS, Place, digest_of, modules, places, shown


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one statement. `id` has no path and no line: it survives moves."""

    id: str
    operator: str
    path: str
    line: int
    function: str
    statement: str
    number: int  # among all changes of its module

    @property
    def room(self) -> str:
        parts = Path(self.path).parts
        return parts[1] if len(parts) > 2 else parts[0]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"room": self.room}


def changes_in(tree: ast.Module) -> Iterator[tuple[str, Place, Change]]:
    """Every change that any operator can make in a module, in one order."""
    for place in places(tree):
        for name, operator in OPERATORS.items():
            for change in operator(place):
                yield name, place, change


def mutants_of(path: Path) -> Iterator[Mutant]:
    """The mutants of one module; ids may be equal."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for number, (name, place, _) in enumerate(changes_in(tree)):
        around = place if hasattr(place.node, "lineno") else place.parent
        node = place.node if around is place else place.parent
        yield Mutant(
            id=f"{name}:{place.qualname}:{digest_of(place.node)}",
            operator=name,
            path=path.as_posix(),
            line=node.lineno,  # type: ignore[attr-defined]
            function=place.qualname,
            statement=shown(place.node),
            number=number,
        )


def all_mutants() -> list[Mutant]:
    """Return the mutants of all modules; where ids are equal, an ordinal distinguishes them."""
    seen: Counter[str] = Counter()
    found = []
    for path in modules():
        for mutant in mutants_of(path):
            seen[mutant.id] += 1
            ordinal = f":{seen[mutant.id]}"
            found.append(Mutant(**asdict(mutant) | {"id": mutant.id + ordinal}))
    return found


def sample(mutants: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return `count` mutants, spread evenly over operators, and within each over rooms.

    Operators that break what the contract says have three times the share of the others.
    """
    chance = random.Random(seed)
    groups: dict[str, dict[str, list[Mutant]]] = defaultdict(lambda: defaultdict(list))
    for mutant in mutants:
        groups[mutant.operator][mutant.room].append(mutant)
    queues = []
    for operator, rooms in groups.items():
        for room in rooms.values():
            chance.shuffle(room)
        queue = _in_turn(list(rooms.values()))
        parts = 1 if operator in GENERAL else 3
        queues += [queue[part::parts] for part in range(parts)]
    return _in_turn(queues)[:count]


def _in_turn(queues: list[list[Mutant]]) -> list[Mutant]:
    longest = max(map(len, queues), default=0)
    return [queue[at] for at in range(longest) for queue in queues if at < len(queue)]


def mutated(mutant: Mutant) -> tuple[ast.Module, Place]:
    """Return the module of a mutant, changed, and the place of the change."""
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    for number, (_, place, change) in enumerate(changes_in(tree)):
        if number == mutant.number:
            _keep_names(place)
            change()
            return ast.fix_missing_locations(tree), place
    raise LookupError(mutant.id)


def _keep_names(place: Place) -> None:
    """Let each function around the change have the same free variables as before.

    `__code__` of a function accepts only code with as many. A statement that never runs names them
    all; a `yield` in it lets a generator stay one.
    """
    function = place.function
    if function is None:
        return
    around = [*place.functions, *([place.node] if isinstance(place.node, FUNCTIONS) else [])]
    for function in around:
        loads = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        names: list[ast.expr] = [ast.Name(name, ast.Load()) for name in sorted(loads)]
        never: list[ast.stmt] = [ast.Expr(ast.Tuple(names, ast.Load()))]
        if _yields(function):
            never.append(ast.Expr(ast.Yield()))
        last = function.body[-1]
        dead = ast.copy_location(ast.If(ast.Constant(0), never, []), last)
        function.body.append(dead)


def _yields(function: ast.AST) -> bool:
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(child, (*FUNCTIONS.__args__, ast.Lambda)) and _yields(child):
            return True
    return False


def blocks_to_run(mutant: Mutant) -> tuple[list[list[str]], list[str]]:
    """Return which blocks a test should run to see the mutant: groups to prefer, and where it is.

    A test of each preferred group is tried in turn.
    """
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    for number, (name, place, _) in enumerate(changes_in(tree)):
        if number == mutant.number:
            block = place.block(mutant.path)
            around = [block] if block else _blocks_using(tree, place, mutant.path)
            return _preferred(name, place, mutant.path), around
    raise LookupError(mutant.id)


def _blocks_using(tree: ast.Module, place: Place, path: str) -> list[str]:
    """Return the blocks of functions that use a constant, or are of the class of an attribute."""
    statements = [node for node in (*place.parents, place.node) if isinstance(node, ast.Assign)]
    name = name_of(statements[-1].targets[0]) if statements else ""
    classes = [node for node in place.parents if isinstance(node, ast.ClassDef)]
    functions = [
        node for node in ast.walk(classes[-1] if classes else tree) if isinstance(node, FUNCTIONS)
    ]
    return [
        key_of(path, first_statement(function.body))
        for function in functions
        if classes or any(name_of(node) == name for node in ast.walk(function))
    ]


def _preferred(name: str, place: Place, path: str) -> list[list[str]]:
    node = place.node
    if name in ("answers-true", "answers-false"):
        returns = [found for found in ast.walk(node) if isinstance(found, ast.Return)]
        return [[key_of(path, found, f"={name == 'answers-false'}") for found in returns]]
    if isinstance(node, ast.ExceptHandler):
        return [[key_of(path, node.body[0])]]
    # A condition is seen by what takes its branch, and by what does not.
    for around, inside in zip(
        (node, *reversed(place.parents)), (None, node, *reversed(place.parents)), strict=False
    ):
        if isinstance(around, ast.If) and inside in (None, around.test):
            other = around.orelse
            return [
                [key_of(path, first_statement(around.body))],
                [key_of(path, first_statement(other)) if other else key_of(path, around, "~")],
            ]
        if isinstance(around, ast.stmt):
            break
    return []

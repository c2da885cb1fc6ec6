"""The ways to break the source: each takes a place and yields the changes it can make there.

A change is a function that modifies the tree. `OPERATORS` has the operators by name.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator

from .blocks import returns_bool
from .source import FUNCTIONS, Place, is_prose

Change = Callable[[], None]
Operator = Callable[[Place], Iterator[Change]]

OPERATORS: dict[str, Operator] = {}

CHECKS = re.compile(
    r"_*(check|refuse|validate|full_clean|clean|ensure|require|add_error|add_problem|show)(_|$)"
)
EVENTS = re.compile(r"_*(record|log|note|event|audit|settle|notify)(_|$)")
LOCKS = {"select_for_update", "locked", "lock"}
LOGGING = {"debug", "info", "warning", "error", "exception"}
# Decorators whose loss a test can notice.
GUARDS = {"atomic", "idempotent"}


def operator(function: Operator) -> Operator:
    OPERATORS[function.__name__.replace("_", "-")] = function
    return function


def name_of(node: ast.AST) -> str:
    """Return the last part of the name that a call calls, or that an expression is."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return getattr(node, "attr", getattr(node, "id", ""))


def _called(place: Place) -> ast.Call | None:
    """Return the call that is a whole statement."""
    node = place.node
    return node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None


def _removed(place: Place) -> Change:
    return lambda: place.replace(ast.Pass())


def _reports(function: FUNCTIONS | None) -> bool:
    """Return whether the function reports problems, rather than build one."""
    returns = ast.unparse(function.returns) if function and function.returns else ""
    return "Problem" in returns and not returns.strip("\"'").startswith("Problem")


def _is_rule(place: Place) -> bool:
    node, call = place.node, _called(place)
    if not _reports(place.function):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        return True
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return True
    return call is not None and name_of(call) in ("append", "extend", "insert")


# Ways to break any program; the others break what the contract says.
GENERAL = {
    "attribute-changed",
    "branch-always",
    "branch-never",
    "comparison-turned",
    "condition-dropped",
    "effect-removed",
    "end-removed",
    "flag-turned",
    "handler-removed",
    "not-dropped",
    "number-moved",
    "setting-removed",
}

# --- Rules and refusals --------------------------------------------------------------------------


@operator
def rule_removed(place: Place) -> Iterator[Change]:
    """A rule finds no problem."""
    node = place.node
    if _is_rule(place):
        yield _removed(place)
    returns = isinstance(node, ast.Return) and node.value and _reports(place.function)
    if returns and ast.unparse(node.value) not in ("[]", "()", "None", "iter(())"):
        yield lambda: setattr(node, "value", ast.List([], ast.Load()))


@operator
def check_removed(place: Place) -> Iterator[Change]:
    """A check before an action is left out."""
    call = _called(place)
    if call and CHECKS.match(name_of(call)):
        yield _removed(place)


@operator
def refusal_removed(place: Place) -> Iterator[Change]:
    """An error is not raised."""
    raised = place.node.exc if isinstance(place.node, ast.Raise) else None
    if raised and name_of(raised) != "NotImplementedError":
        yield _removed(place)


@operator
def order_swapped(place: Place) -> Iterator[Change]:
    """Of two rules in a row, the second comes first."""

    def is_step(index: int) -> bool:
        beside = Place(siblings[index], place.parents, place.field, index)
        call = _called(beside)
        return _is_rule(beside) or bool(call and CHECKS.match(name_of(call)))

    siblings, index = place.siblings, place.index
    if index is None or place.field not in ("body", "orelse") or index + 1 >= len(siblings):
        return
    if is_step(index) and is_step(index + 1):

        def swap() -> None:
            siblings[index], siblings[index + 1] = siblings[index + 1], siblings[index]

        yield swap


@operator
def field_wrong(place: Place) -> Iterator[Change]:
    """A problem names another field."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    if not (_reports(place.function) or name_of(node) in ("Problem", "add_error", "_invalid")):
        return
    if name_of(node) in ("get", "join", "format", "filter", "getattr", "isinstance"):
        return
    for index, value in enumerate(node.args):
        if _is_path(value):
            yield lambda index=index: node.args.__setitem__(index, ast.Constant("elsewhere"))
    for keyword in node.keywords:
        if keyword.arg in ("field", "where", "prefix"):
            yield lambda keyword=keyword: setattr(keyword, "value", ast.Constant("elsewhere"))


def _is_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("field", "where", "path")
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    return any(isinstance(text, str) and text.strip() for text in texts) and not any(
        is_prose(text) or not isinstance(text, str) for text in texts
    )


OTHER_CODE = {
    "INVALID": "BAD_REQUEST",
    "BAD_REQUEST": "INVALID",
    "FORBIDDEN": "NOT_FOUND",
    "NOT_FOUND": "FORBIDDEN",
    "CONFLICT": "BAD_REQUEST",
    "TERMINATED": "BAD_REQUEST",
    "KEY_REUSED": "CONFLICT",
}


@operator
def code_wrong(place: Place) -> Iterator[Change]:
    """A problem has another code."""
    node = place.node
    is_code = isinstance(node, ast.Attribute) and name_of(node.value) == "Code"
    if is_code and node.attr in OTHER_CODE:
        yield lambda: setattr(node, "attr", OTHER_CODE[node.attr])


@operator
def status_wrong(place: Place) -> Iterator[Change]:
    """An answer has another status."""
    node = place.node
    is_status = isinstance(node, ast.keyword) and node.arg in ("status", "status_code")
    if is_status and isinstance(node.value, ast.Constant) and isinstance(node.value.value, int):
        other = 400 if node.value.value < 300 else 200
        yield lambda: setattr(node, "value", ast.Constant(other))


# --- Who may, and what is seen -------------------------------------------------------------------


def _answers(place: Place, answer: bool) -> Iterator[Change]:
    node = place.node
    if isinstance(node, ast.FunctionDef) and returns_bool(node):
        body = [ast.Return(ast.Constant(answer))]
        if ast.unparse(node.body[-1]) != ast.unparse(body[0]):
            yield lambda: setattr(node, "body", [ast.copy_location(body[0], node.body[0])])


@operator
def answers_true(place: Place) -> Iterator[Change]:
    """A predicate, such as whether a user may do something, is always true."""
    yield from _answers(place, True)


@operator
def answers_false(place: Place) -> Iterator[Change]:
    """A predicate is never true."""
    yield from _answers(place, False)


@operator
def filter_dropped(place: Place) -> Iterator[Change]:
    """A queryset is not narrowed."""
    node = place.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and place.function:
        receiver = node.func.value
        if node.func.attr in ("filter", "exclude") and name_of(receiver) != "super":
            all_rows = ast.Call(ast.Attribute(receiver, "all", ast.Load()), [], [])
            yield lambda: place.replace(all_rows)


# --- Transactions, locks, events, effects --------------------------------------------------------


@operator
def atomic_removed(place: Place) -> Iterator[Change]:
    """Statements are no transaction; a repeated request is not recognised."""
    node = place.node
    if isinstance(node, ast.With):
        others = [item for item in node.items if name_of(item.context_expr) != "atomic"]
        if len(others) < len(node.items):
            always = ast.If(ast.Constant(1), node.body, [])
            new = ast.With(others, node.body) if others else always
            yield lambda: place.replace(new)
    if isinstance(node, FUNCTIONS):
        for index, decorator in enumerate(node.decorator_list):
            if name_of(decorator) in GUARDS:
                yield lambda index=index: node.decorator_list.pop(index)  # type: ignore[misc]


@operator
def lock_removed(place: Place) -> Iterator[Change]:
    """Rows are read without a lock."""
    node, call = place.node, _called(place)
    if call and name_of(call) in LOCKS:
        yield _removed(place)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        receiver = node.func.value
        if node.func.attr == "select_for_update":
            all_rows = ast.Call(ast.Attribute(receiver, "all", ast.Load()), [], [])
            yield lambda: place.replace(all_rows)


@operator
def event_removed(place: Place) -> Iterator[Change]:
    """An event is not recorded."""
    call = _called(place)
    if call and EVENTS.match(name_of(call)):
        yield _removed(place)


@operator
def effect_removed(place: Place) -> Iterator[Change]:
    """A call for its effect is left out."""
    call = _called(place)
    if call is None or _is_rule(place):
        return
    name = name_of(call)
    other = CHECKS.match(name) or EVENTS.match(name) or name in LOCKS | LOGGING
    if not other and place.function and "super()" not in ast.unparse(call):
        yield _removed(place)


@operator
def setting_removed(place: Place) -> Iterator[Change]:
    """An attribute or an item is not set."""
    node = place.node
    if not isinstance(node, ast.Assign) or not place.function:
        return
    outside = all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    if outside and place.function.name != "__init__":
        yield _removed(place)


# --- Conditions and values -----------------------------------------------------------------------

BEYOND = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def _comparison(place: Place, others: dict[type, type]) -> Iterator[Change]:
    node = place.node
    is_comparison = isinstance(node, ast.Compare) and len(node.ops) == 1 and place.function
    if is_comparison and (other := others.get(type(node.ops[0]))):
        yield lambda: node.ops.__setitem__(0, other())


@operator
def bound_moved(place: Place) -> Iterator[Change]:
    """A bound is off by one."""
    yield from _comparison(place, BEYOND)


@operator
def comparison_turned(place: Place) -> Iterator[Change]:
    """A comparison says the opposite."""
    yield from _comparison(place, OPPOSITE)


@operator
def condition_dropped(place: Place) -> Iterator[Change]:
    """One operand of an `and` or `or` is left out."""
    node = place.node
    if isinstance(node, ast.BoolOp) and place.function:
        for index in range(len(node.values)):
            rest = [value for at, value in enumerate(node.values) if at != index]
            new = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield lambda new=new: place.replace(copy.deepcopy(new))


@operator
def not_dropped(place: Place) -> Iterator[Change]:
    """A `not` is left out."""
    node = place.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and place.function:
        yield lambda: place.replace(ast.Call(ast.Name("bool", ast.Load()), [node.operand], []))


def _branch(place: Place, answer: bool) -> Iterator[Change]:
    node = place.node
    if isinstance(node, ast.If | ast.IfExp) and place.function:
        # The condition is still evaluated: it may bind a name.
        taken = ast.Constant(answer)
        both = ast.Tuple([node.test, taken], ast.Load())
        yield lambda: setattr(node, "test", ast.Subscript(both, ast.Constant(1), ast.Load()))


@operator
def branch_always(place: Place) -> Iterator[Change]:
    """A branch is always taken."""
    yield from _branch(place, True)


@operator
def branch_never(place: Place) -> Iterator[Change]:
    """A branch is never taken."""
    yield from _branch(place, False)


@operator
def end_removed(place: Place) -> Iterator[Change]:
    """A function or a loop goes on where it should stop."""
    node = place.node
    if isinstance(node, ast.Continue | ast.Break):
        yield _removed(place)
    if isinstance(node, ast.Return) and node.value is None:
        yield _removed(place)


@operator
def handler_removed(place: Place) -> Iterator[Change]:
    """An exception that is handled is not."""
    node = place.node
    if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[0]) != "raise":
        yield lambda: setattr(node, "body", [ast.copy_location(ast.Raise(), node.body[0])])


@operator
def flag_turned(place: Place) -> Iterator[Change]:
    """A flag says the opposite."""
    node = place.node
    if isinstance(node, ast.Constant) and isinstance(node.value, bool) and place.function:
        yield lambda: setattr(node, "value", not node.value)


@operator
def number_moved(place: Place) -> Iterator[Change]:
    """A number is off by one: in a function, or a limit with a name."""
    node, parent = place.node, place.parent
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        return
    is_limit = isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name)
    if is_limit if not place.functions else not isinstance(parent, ast.Subscript):
        yield lambda: setattr(node, "value", node.value + 1)


@operator
def attribute_changed(place: Place) -> Iterator[Change]:
    """A list that a class declares, such as of its permissions, lacks its first item."""
    node, parent = place.node, place.parent
    if isinstance(node, ast.Assign) and isinstance(parent, ast.ClassDef) and not place.functions:
        value, bases = node.value, " ".join(map(ast.unparse, parent.bases))
        # Metaclasses have read these already.
        if parent.name in ("Meta", "Media") or re.search(r"Enum|Choices", bases):
            return
        if isinstance(value, ast.List | ast.Tuple | ast.Set) and value.elts:
            yield lambda: value.elts.pop(0)

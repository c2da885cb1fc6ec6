"""Two modules decide who may do what; no other compares roles or organisations."""

import ast

from .source import modules, name_of, tree_of

DECIDING = {
    "assets/accounts/rules.py": "who manages which users, and acts for which organisation",
    "assets/permissions/access.py": "what organisations may do with assets",
}
ALLOWED = {
    ("assets/accounts/tables.py", "record.is_superuser"): "shows who is one",
    ("assets/accounts/registration/users.py", "role != user.role"): "whether anything changes",
    ("assets/permissions/forms.py", "organization.pk in spec.authorized_ids"): "shows a choice",
    (
        "assets/permissions/specs.py",
        "organization_id in self.authorized_ids",
    ): "what permissions say",
    (
        "assets/accounts/api/organizations.py",
        "settings.MODEL_EXPORT_ENABLED",
    ): "reports the setting to the SDK",
}
# What decides wherever it is read, and what decides when it is compared.
READ = {"is_superuser", "is_staff", "MODEL_EXPORT_ENABLED"}
COMPARED = {"role", "organization_id", "authorized_ids"}


def decisions_in(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in READ:
            yield ast.unparse(node)
        if (
            isinstance(node, ast.Compare)
            and not _asks_for_none(node)
            and any(map(_decides, (node.left, *node.comparators)))
        ):
            yield ast.unparse(node)


def _asks_for_none(node: ast.Compare) -> bool:
    """Whether there is any value at all decides nothing between two users."""
    return isinstance(node.ops[0], ast.Is | ast.IsNot)


def _decides(operand: ast.AST) -> bool:
    parts = operand.elts if isinstance(operand, ast.Tuple | ast.List | ast.Set) else [operand]
    attributes = [part for part in parts if isinstance(part, ast.Attribute)]
    return any(part.attr in COMPARED or _is_role(part.value) for part in attributes)


def _is_role(value: ast.AST) -> bool:
    return isinstance(value, ast.Name) and value.id == "Role"


def test_interfaces_decide_nothing():
    others = (path for path in modules() if name_of(path) not in DECIDING)
    found = {(name_of(path), text) for path in others for text in decisions_in(tree_of(path))}
    assert found == set(ALLOWED), "ask rules or access, or say in ALLOWED why not"


def test_decisions_are_found():
    for text in (
        "user.is_superuser",
        "user.role == 'admin'",
        "user.role in (Role.ADMIN, Role.MEMBER)",
        "x == Role.ADMIN",
        "asset.owner_id != user.organization_id",
        "pk in permissions.authorized_ids",
        "settings.MODEL_EXPORT_ENABLED",
    ):
        assert list(decisions_in(ast.parse(text))), text
    for text in ("filter(role=Role.ADMIN)", "user.role.title()", "own = user.organization_id"):
        assert not list(decisions_in(ast.parse(text))), text

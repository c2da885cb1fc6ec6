"""The permission picker: public, or the organisations that may, and a sentence that says so."""

from collections.abc import Iterable
from typing import Any

from django import forms

from ..accounts.models import Organization, User
from ..common.forms.widgets import BoxesWidget
from .specs import PermissionsSpec


class PermissionPicker(BoxesWidget):
    """A switch and a list of check boxes; the owner is always in it. Needs no JavaScript.

    With it, the list can be searched, and the sentence below follows each choice.
    """

    template_name = "permissions/picker.html"
    # The organisation that will own what the permissions are about.
    owner_id: str | None = None
    # What the permitted may do, as it ends a sentence.
    may = "use it"
    # What there is to choose from; `share_organizations` shares it among the pickers of a form.
    known: Iterable[Organization] | None = None

    class Media:
        css = {"all": ["permissions/picker.css"]}
        js = [forms.Script("permissions/picker.js", defer=True)]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        spec = value if isinstance(value, PermissionsSpec) else PermissionsSpec()
        context["public"] = spec.public
        context["organizations"] = [
            {
                "id": organization.pk,
                "label": str(organization),
                "is_owner": organization.pk == self.owner_id,
                "is_chosen": organization.pk in spec.authorized_ids,
            }
            for organization in self.known or Organization.objects.all()
        ]
        # The owner comes first: it cannot be left out, so it need not be looked for.
        context["organizations"].sort(key=lambda item: not item["is_owner"])
        context["may"] = self.may
        # Who does not exist is told by the refusal; here they could be no end of names.
        known = {item["id"] for item in context["organizations"]}
        named = tuple(name for name in spec.authorized_ids if name in known)
        context["sentence"] = sentence(
            spec._replace(authorized_ids=named),
            [item["id"] for item in context["organizations"] if item["is_owner"]],
            self.may,
        )
        return context

    def value_from_datadict(self, data, files, name) -> PermissionsSpec:
        many = getattr(data, "getlist", None) or (lambda key: data.get(key, ()))
        return PermissionsSpec(f"{name}-public" in data, tuple(many(f"{name}-authorized_ids")))


def sentence(permissions: PermissionsSpec, owner: list[str], may: str) -> str:
    """Say in a sentence who may; the page's script builds the same one."""
    if permissions.public:
        return f"Every organisation of the consortium, also those that join later, can {may}."
    others = [name for name in permissions.authorized_ids if name not in owner]
    names = owner + others
    listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    return f"Only {listed} can {may}." if names else f"Nobody can {may}."


class PermissionsField(forms.Field):
    """Reads a PermissionsSpec; whether the organisations exist is for the rules to say.

    Args:
        may: what the permitted may do, as it ends the sentence "Only A and B can ...".
    """

    widget = PermissionPicker

    def __init__(self, *, may: Any = "use it", **kwargs: Any) -> None:
        super().__init__(**{"required": False, "initial": PermissionsSpec(), **kwargs})
        self.widget.may = may

    def bind_actor(self, actor: User) -> None:
        """Show the actor's organisation as the owner."""
        self.widget.owner_id = actor.organization_id

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or PermissionsSpec()) != data


def share_organizations(fields: Iterable[forms.Field]) -> None:
    """Have the pickers among the fields ask for the organisations once, when they are drawn."""
    organizations = Organization.objects.all()
    for field in fields:
        if isinstance(field, PermissionsField):
            field.widget.known = organizations

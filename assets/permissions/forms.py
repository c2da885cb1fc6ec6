"""The permission picker: public or restricted to organisations, with a sentence that sums it up."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import get_text_list
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization, User
from ..common.forms.widgets import BoxesWidget
from .specs import PermissionsSpec


class PermissionPicker(BoxesWidget):
    """A switch and a list of check boxes, with the owner always checked.

    JavaScript adds a search of the list, and updates the sentence below at each choice.
    """

    template_name = "permissions/picker.html"
    # The organisation that will own the asset.
    owner_id: str | None = None
    # What the permitted can do, as it ends a sentence.
    may: Any = _("use it")
    # The choices, which `share_organizations` shares among the pickers of a form.
    choices: Iterable[Organization] | None = None

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
            for organization in self.choices or Organization.objects.all()
        ]
        # The owner comes first: it cannot be unchecked.
        context["organizations"].sort(key=lambda item: not item["is_owner"])
        # Unknown organisations, which may be many, are named by the error only.
        known = {item["id"] for item in context["organizations"]}
        named = tuple(name for name in spec.authorized_ids if name in known)
        owner = [item["id"] for item in context["organizations"] if item["is_owner"]]
        others = [name for name in named if name not in owner]
        # The page's script chooses among the same sentences.
        context["sentences"] = sentences(self.may)
        context["sentence"] = sentence(spec.public, owner + others, self.may)
        return context

    def value_from_datadict(self, data, files, name) -> PermissionsSpec:
        many = getattr(data, "getlist", None) or (lambda key: data.get(key, ()))
        return PermissionsSpec(f"{name}-public" in data, tuple(many(f"{name}-authorized_ids")))


def sentences(may: Any) -> dict[str, str]:
    """Return the sentences about who can do what `may` says, with `{names}` in "only"."""
    values = {"may": may, "names": "{names}"}
    public = gettext("Every organisation of the consortium, including later members, can %(may)s.")
    return {
        "public": public % values,
        "only": gettext("Only %(names)s can %(may)s.") % values,
        "none": gettext("No organisation can %(may)s.") % values,
    }


def sentence(public: bool, names: list[str], may: Any) -> str:
    """Return the sentence that sums up a permission."""
    which = "public" if public else "only" if names else "none"
    return sentences(may)[which].replace("{names}", get_text_list(names, gettext("and")))


class PermissionsField(forms.Field):
    """Reads a PermissionsSpec; rules check that the organisations exist.

    Args:
        may: what the permitted can do, as it ends the sentence "Only A and B can ...".
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
    """Let the permission pickers among the fields share one query for the organisations."""
    organizations = Organization.objects.all()
    for field in fields:
        if isinstance(field, PermissionsField):
            field.widget.choices = organizations

"""The permission picker: public or restricted to organisations, with a sentence that sums it up."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.utils.text import get_text_list
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization, User
from ..common.forms.widgets import BoxesWidget
from .specs import PermissionsSpec

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Sentences(NamedTuple):
    """The sentences that sum up a permission: one of them, whole, for each choice.

    `only` has the placeholder `names`.
    """

    public: "StrOrPromise"
    only: "StrOrPromise"
    none: "StrOrPromise"

    def texts(self) -> dict[str, str]:
        """Return the sentences by name, with `{names}` in "only"."""
        return {
            "public": str(self.public),
            "only": str(self.only) % {"names": "{names}"},
            "none": str(self.none),
        }

    def about(self, public: bool, names: list[str]) -> str:
        """Return the sentence about a permission of these organisations."""
        if public or not names:
            return str(self.public if public else self.none)
        return str(self.only) % {"names": get_text_list(names, gettext("and"))}


USE = Sentences(
    public=_("Every organisation of the consortium, including later members, can use it."),
    only=_("Only %(names)s can use it."),
    none=_("No organisation can use it."),
)


class PermissionPicker(BoxesWidget):
    """A switch and a list of check boxes, with the owner always checked.

    JavaScript adds a search of the list, and updates the sentence below at each choice.
    """

    template_name = "permissions/picker.html"
    # The organisation that will own the asset.
    owner_id: str | None = None
    sentences: Sentences = USE
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
        context["sentences"] = self.sentences.texts()
        context["sentence"] = self.sentences.about(spec.public, owner + others)
        return context

    def value_from_datadict(self, data, files, name) -> PermissionsSpec:
        many = getattr(data, "getlist", None) or (lambda key: data.get(key, ()))
        return PermissionsSpec(f"{name}-public" in data, tuple(many(f"{name}-authorized_ids")))


class PermissionsField(forms.Field):
    """Reads a PermissionsSpec; rules check that the organisations exist.

    Args:
        sentences: what the picker shows of who can do what.
    """

    widget = PermissionPicker

    def __init__(self, *, sentences: Sentences = USE, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "initial": PermissionsSpec(), **kwargs})
        self.widget.sentences = sentences

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

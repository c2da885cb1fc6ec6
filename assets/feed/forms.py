"""The form that renames assets."""

from collections.abc import Iterable
from typing import Any

from ..common.db.models import NamedAsset
from ..common.errors import Problem
from ..common.forms.fields import text_field
from ..common.forms.layouts import PageForm, Section
from .registration import check_rename, rename


class RenameForm(PageForm):
    """Renames a dataset, a function or a compute plan."""

    sections = (Section("", "name"),)
    live = ("name",)

    name = text_field(NamedAsset, "name")

    def __init__(self, *args: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, asset=asset, **kwargs)
        if asset is not None:
            self.fields["name"].initial = asset.name

    def make_spec(self, values: dict[str, Any]) -> str:
        return values.get("name", "")

    def check(self) -> Iterable[Problem]:
        return check_rename(self.actor, self.asset, self.spec)

    def save(self) -> NamedAsset:
        rename(self.actor, self.asset, self.spec)
        return self.asset

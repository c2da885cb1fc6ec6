"""Forms of functions, their inputs and their outputs."""

from collections.abc import Iterable
from typing import Any

from ..common.errors import Problem
from ..common.forms import (
    KindField,
    RowForm,
    SpecForm,
    UploadField,
    flag_field,
    text_field,
)
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..common.text_fields import MetadataFormField
from ..feed.forms import RenameForm
from ..permissions.forms import PermissionsField
from ..permissions.specs import PermissionsSpec
from .models import Function, FunctionInput, FunctionOutput
from .registration import check_function, register_function
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec


def _kind_field(kinds: Iterable[AssetKind], help_text: str) -> KindField:
    choices = [(kind.value, kind.label) for kind in kinds]
    return KindField(choices=choices, initial=choices[0][0], help_text=help_text)


class FunctionInputForm(RowForm):
    """One input of a function."""

    identifier = text_field(
        FunctionInput,
        "identifier",
        help_text="What the code calls it. The SDK expects opener for the dataset and "
        "datasamples for its data samples.",
    )
    kind = _kind_field(
        INPUT_KINDS,
        "model: what another task made. dataset: the opener. data sample: the data. "
        "A dataset and its data samples come together.",
    )
    multiple = flag_field(FunctionInput, "multiple")
    optional = flag_field(FunctionInput, "optional")

    def spec(self) -> FunctionInputSpec:
        values = self.cleaned_data
        return FunctionInputSpec(
            values.get("identifier", ""),
            values.get("kind", ""),
            values.get("multiple", False),
            values.get("optional", False),
        )


class FunctionOutputForm(RowForm):
    """One output of a function."""

    identifier = text_field(FunctionOutput, "identifier", help_text="What the code calls it.")
    kind = _kind_field(
        OUTPUT_KINDS,
        "model: a file that other tasks may take. performance: one number, seen by everybody.",
    )
    multiple = flag_field(FunctionOutput, "multiple")

    def spec(self) -> FunctionOutputSpec:
        values = self.cleaned_data
        return FunctionOutputSpec(
            values.get("identifier", ""), values.get("kind", ""), values.get("multiple", False)
        )


class FunctionForm(SpecForm):
    """Registers a function with its inputs and outputs."""

    row_forms = {"inputs": FunctionInputForm, "outputs": FunctionOutputForm}

    name = text_field(Function, "name")
    file = UploadField(
        label="Archive",
        help_text="A zip or tar archive with a Dockerfile at its root and the code beside it.",
    )
    description = UploadField(
        help_text="A Markdown file: what the function does, and what it expects."
    )
    permissions = PermissionsField(
        help_text="Who may run the function and download its archive and description."
    )
    metadata = MetadataFormField()

    def make_spec(self, values: dict[str, Any]) -> FunctionSpec:
        return FunctionSpec(
            name=values.get("name", ""),
            file=values.get("file"),
            description=values.get("description"),
            permissions=values.get("permissions", PermissionsSpec()),
            metadata=values.get("metadata", {}),
            inputs=self.rows["inputs"].specs(),
            outputs=self.rows["outputs"].specs(),
        )

    def check(self) -> Iterable[Problem]:
        return check_function(self.spec, self.actor)

    def save(self) -> Function:
        return register_function(self.spec, self.actor)


class FunctionRenameForm(RenameForm):
    kind = AssetKind.FUNCTION

"""Forms of functions, their inputs and their outputs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from ..common.errors import Problem
from ..common.forms.fields import KindField, MetadataFormField, flag_field, text_field
from ..common.forms.formsets import RowForm
from ..common.forms.layouts import FormsetLayout, PageForm, Section
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..feed.forms import RenameForm
from ..permissions.forms import PermissionsField
from ..permissions.specs import PermissionsSpec
from ..uploads.fields import ARCHIVES, TEXTS, StagedFileField, StagedUploadsMixin, text_advice
from .models import Function, FunctionInput, FunctionOutput
from .registration import check_function, register_function
from .rules import archive_advice
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec

# What the kinds are, told to those who choose one and to those who read about a function.
INPUT_MEANINGS = {
    AssetKind.MODEL: "what another task made",
    AssetKind.DATA_SAMPLE: "the data themselves",
    AssetKind.DATA_MANAGER: "the opener that reads the data",
}
OUTPUT_MEANINGS = {
    AssetKind.MODEL: "a file for other tasks",
    AssetKind.PERFORMANCE: "one number, seen by everybody",
}
assert set(INPUT_MEANINGS) == set(INPUT_KINDS)  # noqa: S101
assert set(OUTPUT_MEANINGS) == set(OUTPUT_KINDS)  # noqa: S101

# What every function takes that reads data, by the names that the SDK gives it.
DATASET_PAIR = (
    FunctionInputSpec("opener", AssetKind.DATA_MANAGER.value),
    FunctionInputSpec("datasamples", AssetKind.DATA_SAMPLE.value, multiple=True),
)


def _kind_field(meanings: Mapping[AssetKind, str], help_text: str = "") -> KindField:
    choices = [(kind.value, f"{kind.label}: {means}") for kind, means in meanings.items()]
    return KindField(choices=choices, initial=choices[0][0], help_text=help_text)


class FunctionInputForm(RowForm):
    """One input of a function."""

    identifier = text_field(
        FunctionInput,
        "identifier",
        help_text="What the code calls it. The SDK wants opener for a dataset and datasamples for "
        "its data samples.",
    )
    kind = _kind_field(
        INPUT_MEANINGS, "A dataset and its data samples come together: both or neither."
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
    kind = _kind_field(OUTPUT_MEANINGS)
    multiple = flag_field(FunctionOutput, "multiple")

    def spec(self) -> FunctionOutputSpec:
        values = self.cleaned_data
        return FunctionOutputSpec(
            values.get("identifier", ""), values.get("kind", ""), values.get("multiple", False)
        )


class FunctionForm(StagedUploadsMixin, PageForm):
    """Registers a function with its inputs and outputs."""

    live = ("name", "metadata")
    row_forms = {"inputs": FunctionInputForm, "outputs": FunctionOutputForm}
    sections = (
        Section("What it is", "name", "file", "description"),
        Section(
            "What it takes",
            "on_dataset",
            FormsetLayout("inputs", item="input"),
            note="A function that learns from data or judges by them runs on a dataset. The rows "
            "are for what else it takes, such as a model. A row that stays blank does not count.",
        ),
        Section(
            "What it makes",
            FormsetLayout("outputs", item="output"),
            note="What a task of it leaves behind: models for other tasks, or performances.",
        ),
        Section(
            "Who may use it",
            "permissions",
            note="The whole consortium sees name, inputs, outputs and metadata. Permissions are "
            "about running the function and downloading its files. They cannot be changed later.",
        ),
        Section("More about it", "metadata"),
    )

    name = text_field(Function, "name")
    file = StagedFileField(
        label="Archive",
        help_text="A zip or tar archive with a Dockerfile at its root and the code beside it.",
        url_name="upload-function",
        accept=f"{ARCHIVES},.fab",
        advise=archive_advice,
    )
    description = StagedFileField(
        help_text="A Markdown file: what the function does, and what it expects.",
        url_name="upload-description",
        accept=TEXTS,
        advise=text_advice,
    )
    on_dataset = forms.BooleanField(
        label="Runs on a dataset",
        required=False,
        help_text="Adds the two inputs that such functions have: opener, a dataset, and "
        "datasamples, its data samples.",
    )
    permissions = PermissionsField(
        help_text="Who may run the function and download its archive and description.",
        may="run the function, and download its archive and description",
    )
    metadata = MetadataFormField()

    def make_spec(self, values: dict[str, Any]) -> FunctionSpec:
        pair = DATASET_PAIR if values.get("on_dataset") else ()
        return FunctionSpec(
            name=values.get("name", ""),
            file=values.get("file"),
            description=values.get("description"),
            permissions=values.get("permissions", PermissionsSpec()),
            metadata=values.get("metadata", {}),
            inputs=[*pair, *self.formsets["inputs"].specs()],
            outputs=self.formsets["outputs"].specs(),
        )

    def check(self) -> Iterable[Problem]:
        return check_function(self.spec, self.actor)

    def save(self) -> Function:
        return register_function(self.spec, self.actor)

    def get_field_by_html_name(self, html_name: str) -> forms.BoundField | None:
        """Return a field to be shown alone; an identifier then says what its row would have."""
        field = super().get_field_by_html_name(html_name)
        if field is not None and isinstance(row := field.form, RowForm):
            for error in row.non_field_errors().as_data():
                row.add_error("identifier", error)
        return field


class FunctionRenameForm(RenameForm):
    kind = AssetKind.FUNCTION


def values_of(spec: FunctionSpec) -> dict[str, Any]:
    """Return what the form holds that registers such a function, but for its files."""
    has_pair = tuple(spec.inputs[:2]) == DATASET_PAIR
    return {
        "name": spec.name,
        "on_dataset": has_pair,
        "inputs": [asdict(item) for item in spec.inputs[2 if has_pair else 0 :]],
        "outputs": [asdict(item) for item in spec.outputs],
        "permissions": spec.permissions,
        "metadata": spec.metadata,
    }

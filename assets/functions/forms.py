"""Forms of functions, their inputs and their outputs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_lazy as _

from ..common.errors import Problem
from ..common.forms.fields import KindField, MetadataFormField, flag_field, text_field
from ..common.forms.formsets import RowForm
from ..common.forms.layouts import FormsetLayout, PageForm, Section
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..permissions.forms import PermissionsField, Sentences
from ..uploads.fields import ARCHIVES, TEXTS, StagedFileField, StagedUploadsMixin, text_advice
from .models import Function, FunctionInput, FunctionOutput
from .registration import check_function, register_function
from .rules import archive_advice
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec

# What each kind is, for the choices of the form and for the page of a function.
INPUT_DESCRIPTIONS = {
    AssetKind.MODEL: _("the output of another task"),
    AssetKind.DATA_SAMPLE: _("the data"),
    AssetKind.DATA_MANAGER: _("the opener that reads the data"),
}
OUTPUT_DESCRIPTIONS = {
    AssetKind.MODEL: _("a file that other tasks can use"),
    AssetKind.PERFORMANCE: _("one number, visible to every organisation"),
}
assert set(INPUT_DESCRIPTIONS) == set(INPUT_KINDS)  # noqa: S101
assert set(OUTPUT_DESCRIPTIONS) == set(OUTPUT_KINDS)  # noqa: S101

# The two inputs of every function that reads data, by their names in the SDK.
DATASET_PAIR = (
    FunctionInputSpec("opener", AssetKind.DATA_MANAGER.value),
    FunctionInputSpec("datasamples", AssetKind.DATA_SAMPLE.value, multiple=True),
)


def _choice_label(kind: AssetKind, description: Any) -> str:
    labels = {"kind": kind.label, "description": description}
    return gettext("%(kind)s: %(description)s") % labels


_lazy_choice_label = lazy(_choice_label, str)


def _kind_field(descriptions: Mapping[AssetKind, Any], help_text: Any = "") -> KindField:
    choices = [
        (kind.value, _lazy_choice_label(kind, description))
        for kind, description in descriptions.items()
    ]
    return KindField(label=_("Kind"), choices=choices, initial=choices[0][0], help_text=help_text)


RUN_FUNCTION = Sentences(
    public=_(
        "Every organisation of the consortium, including later members, "
        "can run the function, and download its archive and description."
    ),
    only=_("Only %(names)s can run the function, and download its archive and description."),
    none=_("No organisation can run the function, and download its archive and description."),
)


class FunctionInputForm(RowForm):
    """One input of a function."""

    spec_class = FunctionInputSpec
    item_label, list_label = _("input"), _("Inputs")

    identifier = text_field(
        FunctionInput,
        "identifier",
        help_text=_(
            "The name of the input in the code. The SDK requires opener for a dataset and "
            "datasamples for its data samples."
        ),
    )
    kind = _kind_field(
        INPUT_DESCRIPTIONS, _("A dataset needs an input for its data samples, and vice versa.")
    )
    multiple = flag_field(FunctionInput, "multiple")
    optional = flag_field(FunctionInput, "optional")


class FunctionOutputForm(RowForm):
    """One output of a function."""

    spec_class = FunctionOutputSpec
    item_label, list_label = _("output"), _("Outputs")

    identifier = text_field(
        FunctionOutput, "identifier", help_text=_("The name of the output in the code.")
    )
    kind = _kind_field(OUTPUT_DESCRIPTIONS)
    multiple = flag_field(FunctionOutput, "multiple")


class FunctionForm(StagedUploadsMixin, PageForm):
    """Registers a function with its inputs and outputs."""

    spec_class = FunctionSpec
    live = ("name", "metadata")
    row_forms = {"inputs": FunctionInputForm, "outputs": FunctionOutputForm}
    sections = (
        Section(_("Details"), "name", "file", "description"),
        Section(
            _("Inputs"),
            "on_dataset",
            FormsetLayout("inputs"),
            note=_(
                "A function that trains or tests on data runs on a dataset. Add a row for each "
                "other input, such as a model. Blank rows are ignored."
            ),
        ),
        Section(
            _("Outputs"),
            FormsetLayout("outputs"),
            note=_("The results of a task that runs the function: models or performances."),
        ),
        Section(
            _("Permissions"),
            "permissions",
            note=_(
                "The whole consortium can see the name, inputs, outputs and metadata. Permissions "
                "control who can run the function and download its files. You cannot change them "
                "later."
            ),
        ),
        Section(_("Metadata"), "metadata"),
    )

    name = text_field(Function, "name")
    file = StagedFileField(
        label=_("Archive"),
        help_text=_("A zip or tar archive with a Dockerfile and the code at its root."),
        url_name="upload-function",
        accept=f"{ARCHIVES},.fab",
        advise=archive_advice,
    )
    description = StagedFileField(
        label=_("Description"),
        help_text=_("A Markdown file that says what the function does and what it expects."),
        url_name="upload-description",
        accept=TEXTS,
        advise=text_advice,
    )
    on_dataset = forms.BooleanField(
        label=_("Runs on a dataset"),
        required=False,
        help_text=_("Adds two inputs: opener, a dataset, and datasamples, its data samples."),
    )
    permissions = PermissionsField(
        label=_("Permissions"),
        help_text=_("Who can run the function and download its archive and description."),
        sentences=RUN_FUNCTION,
    )
    metadata = MetadataFormField()

    def make_spec(self, values: dict[str, Any]) -> FunctionSpec:
        pair = DATASET_PAIR if values.get("on_dataset") else ()
        inputs = [*pair, *self.formsets["inputs"].specs()]
        outputs = self.formsets["outputs"].specs()
        spec: FunctionSpec = super().make_spec({**values, "inputs": inputs, "outputs": outputs})
        return spec

    def check(self) -> Iterable[Problem]:
        return check_function(self.spec, self.actor)

    def save(self) -> Function:
        return register_function(self.spec, self.actor)

    def get_field_by_html_name(self, html_name: str) -> forms.BoundField | None:
        """Return one field; an identifier also has the errors of its row, which is not shown."""
        field = super().get_field_by_html_name(html_name)
        if field is not None and isinstance(row := field.form, RowForm):
            for error in row.non_field_errors().as_data():
                row.add_error("identifier", error)
        return field


def values_of(spec: FunctionSpec) -> dict[str, Any]:
    """Return initial values for a form that registers such a function, without its files."""
    has_pair = tuple(spec.inputs[:2]) == DATASET_PAIR
    return {
        "name": spec.name,
        "on_dataset": has_pair,
        "inputs": [asdict(item) for item in spec.inputs[2 if has_pair else 0 :]],
        "outputs": [asdict(item) for item in spec.outputs],
        "permissions": spec.permissions,
        "metadata": spec.metadata,
    }

"""Forms of datasets and data samples."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from ..common.errors import Problem
from ..common.forms.fields import MetadataFormField, OwnAssetsField, RequiredTextField, text_field
from ..common.forms.layouts import PageForm, Section
from ..common.forms.pickers import AssetPicker
from ..permissions.forms import PermissionsField, Sentences
from ..uploads.fields import (
    ARCHIVES,
    TEXTS,
    StagedFileField,
    StagedFilesField,
    StagedUploadsMixin,
    text_advice,
)
from ..uploads.models import Upload
from .models import DataSample, Dataset
from .openers import cannot_be_loaded, opener_advice
from .queries import sample_notes
from .registration import (
    check_data_samples,
    check_dataset,
    check_link,
    link_data_samples,
    register_data_samples,
    register_dataset,
)
from .rules import archive_advice
from .specs import DataSampleSpec, DatasetSpec

RUN_ON_DATA = Sentences(
    public=_(
        "Every organisation of the consortium, including later members, "
        "can run functions on the data, and download its opener and description."
    ),
    only=_(
        "Only %(names)s can run functions on the data, and download its opener and description."
    ),
    none=_(
        "No organisation can run functions on the data, and download its opener and description."
    ),
)


READ_LOGS = Sentences(
    public=_(
        "Every organisation of the consortium, including later members, "
        "can read the logs of tasks that failed on the data."
    ),
    only=_("Only %(names)s can read the logs of tasks that failed on the data."),
    none=_("No organisation can read the logs of tasks that failed on the data."),
)


class DatasetForm(StagedUploadsMixin, PageForm):
    """Registers a dataset."""

    spec_class = DatasetSpec
    live = ("name", "type", "metadata")
    sections = (
        Section(_("Details"), "name", "type", "data_opener", "description"),
        Section(
            _("Permissions"),
            "permissions",
            "logs_permission",
            note=_(
                "The whole consortium can see the name, type and metadata. Permissions control "
                "who can use the data and download the files. You cannot change them later."
            ),
        ),
        Section(_("Metadata"), "metadata"),
    )

    name = text_field(Dataset, "name")
    # Required of people only; programs may leave it out.
    type = RequiredTextField(
        label=_("Type"),
        help_text=Dataset._meta.get_field("type").help_text,
        error_messages={"required": _('Enter the type of the data, such as "images".')},
    )
    data_opener = StagedFileField(
        label=_("Opener"),
        help_text=_("A Python file with the class that reads the data samples."),
        url_name="upload-opener",
        accept=".py",
        advise=opener_advice,
    )
    description = StagedFileField(
        label=_("Description"),
        help_text=_(
            "A Markdown file that says what was measured, how, and in which patients. "
            "It must not contain patient data."
        ),
        url_name="upload-description",
        accept=TEXTS,
        advise=text_advice,
    )
    permissions = PermissionsField(
        label=_("Data permissions"),
        help_text=_(
            "Who can run functions on the data and download the opener and the description."
        ),
        sentences=RUN_ON_DATA,
    )
    logs_permission = PermissionsField(
        label=_("Logs permissions"),
        help_text=_("Who can read the logs of tasks that failed. Logs may contain data."),
        sentences=READ_LOGS,
    )
    metadata = MetadataFormField()

    def check(self) -> Iterable[Problem]:
        return check_dataset(self.spec, self.actor)

    def save(self) -> Dataset:
        return register_dataset(self.spec, self.actor)


class ConfirmingDatasetForm(DatasetForm):
    """The form of the page, which asks for confirmation of an opener that cannot be loaded.

    No rule forbids such an opener, but it can never be replaced.
    """

    needs_confirmation = False

    anyway = forms.BooleanField(label=_("Register anyway"), required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        opener = values.get("data_opener")
        if opener and opener.size and cannot_be_loaded(opener):
            self.needs_confirmation = True
            if not values.get("anyway"):
                self.add_error(
                    "anyway",
                    _("This opener cannot be loaded. Choose another file, or tick this box."),
                )
        return values

    @property
    def helper(self) -> FormHelper:
        """Show the check box below the opener once it is needed."""
        helper = super().helper
        if self.needs_confirmation:
            first, *others = self.sections
            place = first.fields.index("data_opener") + 1
            fields = [*first.fields[:place], "anyway", *first.fields[place:]]
            helper.layout = Layout(Section(first.legend, *fields), *others)
        return helper


class DataSampleForm(StagedUploadsMixin, PageForm):
    """Registers data samples: each is a file, or a folder that stays where it is."""

    field_aliases = {"data_manager_keys": "datasets", "path": "paths"}
    sections = (
        Section(_("Datasets"), "datasets"),
        Section(
            _("Files"),
            "archives",
            note=_("Each archive is one data sample. Either all of them are registered, or none."),
        ),
        Section(
            _("Or folders on the server"),
            "paths",
            "multiple",
            note=_("Folders are not copied. The data stay where they are."),
        ),
        Section(
            _("Or folders at your runners"),
            "runner_paths",
            note=_(
                "The data never reach this server. A runner looks at each folder, and reports its "
                "checksum and size."
            ),
        ),
    )

    datasets = OwnAssetsField(
        Dataset.objects.all(),
        widget=AssetPicker(multiple=True),
        label=_("Datasets"),
        help_text=_("The datasets of your organisation to add the data samples to."),
    )
    archives = StagedFilesField(
        label=_("Files"),
        required=False,
        help_text=_("Zip or tar archives, each a data sample. You can choose several."),
        url_name="upload-data-sample",
        accept=ARCHIVES,
        folders=True,
        advise=archive_advice,
    )
    paths = forms.CharField(
        label=_("Folders on the server"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One per line, below your organisation's folder. Each is a data sample."),
    )
    multiple = forms.BooleanField(
        label=_("Each subfolder is a data sample"),
        required=False,
        help_text=_(
            "The folders above contain one folder for each data sample. Hidden files and folders, "
            "such as .snapshot or .DS_Store, are left out."
        ),
    )

    runner_paths = forms.CharField(
        label=_("Folders at your runners"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One per line, relative to the runners' data root. Each is a data sample."),
    )

    def make_spec(self, values: dict[str, Any]) -> DataSampleSpec:
        self.faulty: list[File | Upload] = []
        uploads: list[File] = values.get("archives", [])
        return DataSampleSpec(
            data_manager_keys=[dataset.key for dataset in values.get("datasets", ())],
            archives={f"archives[{index}]": upload for index, upload in enumerate(uploads)},
            paths=[Path(line) for line in _lines(values.get("paths", ""))],
            multiple=values.get("multiple", False),
            runner_paths=[PurePosixPath(line) for line in _lines(values.get("runner_paths", ""))],
        )

    def check(self) -> Iterable[Problem]:
        return check_data_samples(self.spec, self.actor)

    def add_problem(self, problem: Problem) -> None:
        upload = self.spec.archives.get(problem.field)
        if upload is None:
            super().add_problem(problem)
        else:
            # People know their files by name, not by index.
            message = f"{upload.name}: {problem.sentence}"
            self.add_error("archives", ValidationError(message, code=problem.code.label))
            self.faulty.append(getattr(upload, "upload", upload))

    def faulty_files(self, name: str) -> list[File | Upload]:
        # If one archive is wrong, the others need not be sent again.
        return self.faulty

    def save(self) -> list[DataSample]:
        return register_data_samples(self.spec, self.actor)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class LinkSamplesForm(PageForm):
    """Adds registered data samples to more datasets."""

    sections = (Section("", "data_samples", "datasets"),)

    field_aliases = {"data_manager_keys": "datasets", "data_sample_keys": "data_samples"}

    data_samples = OwnAssetsField(
        DataSample.objects.all(),
        widget=AssetPicker(
            multiple=True,
            search=("datasets__name",),
            search_label=_("Search by dataset or key"),
            limit=100,
            notes=sample_notes,
        ),
        label=_("Data samples"),
        help_text=_("Data samples of your organisation."),
    )
    datasets = OwnAssetsField(
        Dataset.objects.all(),
        label=_("Add to datasets"),
        widget=AssetPicker(multiple=True),
        help_text=_("Datasets of your organisation. Data samples are never removed from one."),
    )

    def make_spec(self, values: dict[str, Any]) -> tuple[list[UUID], list[UUID]]:
        """Return the keys of the datasets and of the samples."""
        samples = values.get("data_samples", ())
        return (
            [dataset.key for dataset in values.get("datasets", ())],
            [sample.key for sample in samples],
        )

    def check(self) -> Iterable[Problem]:
        dataset_keys, sample_keys = self.spec
        return check_link(dataset_keys, sample_keys, self.actor)

    def save(self) -> Any:
        dataset_keys, sample_keys = self.spec
        link_data_samples(dataset_keys, sample_keys, self.actor)
        return self.spec

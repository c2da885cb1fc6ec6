"""Forms of datasets and data samples."""

from collections.abc import Iterable
from pathlib import Path
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
from ..common.kinds import AssetKind
from ..feed.forms import RenameForm
from ..permissions.forms import PermissionsField
from ..permissions.specs import PermissionsSpec
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


class DatasetForm(StagedUploadsMixin, PageForm):
    """Registers a dataset."""

    live = ("name", "type", "metadata")
    sections = (
        Section("What it is", "name", "type", "data_opener", "description"),
        Section(
            "Who may use it",
            "permissions",
            "logs_permission",
            note="The whole consortium sees names, types and metadata. Permissions are about "
            "using the data and downloading the files. They cannot be changed later.",
        ),
        Section("More about it", "metadata"),
    )

    name = text_field(Dataset, "name")
    # Required of people only: programs may leave it out.
    type = RequiredTextField(
        help_text=Dataset._meta.get_field("type").help_text,
        error_messages={"required": 'Say what the data are, such as "images" or "tabular".'},
    )
    data_opener = StagedFileField(
        label="Opener",
        help_text="A Python file with the class that reads the data samples.",
        url_name="upload-opener",
        accept=".py",
        advise=opener_advice,
    )
    description = StagedFileField(
        help_text="A Markdown file: what was measured, how, and on whom. It holds no data.",
        url_name="upload-description",
        accept=TEXTS,
        advise=text_advice,
    )
    permissions = PermissionsField(
        help_text="Who may run functions on the data and download opener and description.",
        may="run functions on the data, and download its opener and description",
    )
    logs_permission = PermissionsField(
        help_text="Who may read the logs of failed tasks on the data; logs may quote data.",
        may="read the logs of tasks that failed on the data",
    )
    metadata = MetadataFormField()

    def make_spec(self, values: dict[str, Any]) -> DatasetSpec:
        return DatasetSpec(
            name=values.get("name", ""),
            type=values.get("type", ""),
            data_opener=values.get("data_opener"),
            description=values.get("description"),
            permissions=values.get("permissions", PermissionsSpec()),
            logs_permission=values.get("logs_permission", PermissionsSpec()),
            metadata=values.get("metadata", {}),
        )

    def check(self) -> Iterable[Problem]:
        return check_dataset(self.spec, self.actor)

    def save(self) -> Dataset:
        return register_dataset(self.spec, self.actor)


class AskingDatasetForm(DatasetForm):
    """The form of our page: it asks before it registers an opener that surely fails.

    Nothing forbids such an opener, and it is registered for good: who insists ticks a box.
    """

    asks = False

    anyway = forms.BooleanField(label="Register this opener all the same", required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        opener = values.get("data_opener")
        if opener and opener.size and cannot_be_loaded(opener):
            self.asks = True
            if not values.get("anyway"):
                self.add_error(
                    "anyway",
                    "Read what is said about the opener above. Choose another file, or tick this.",
                )
        return values

    @property
    def helper(self) -> FormHelper:
        """Show the box below the opener, once there is something to ask."""
        helper = super().helper
        if self.asks:
            first, *others = self.sections
            place = first.fields.index("data_opener") + 1
            fields = [*first.fields[:place], "anyway", *first.fields[place:]]
            helper.layout = Layout(Section(first.legend, *fields), *others)
        return helper


class DatasetRenameForm(RenameForm):
    kind = AssetKind.DATA_MANAGER


class DataSampleForm(StagedUploadsMixin, PageForm):
    """Registers one data sample or many: a file each, or a folder on the server each."""

    field_aliases = {"data_manager_keys": "datasets", "path": "paths"}
    sections = (
        Section("Where they belong", "datasets"),
        Section(
            "The data",
            "archives",
            note="Each archive is one data sample. All of them are registered, or none.",
        ),
        Section(
            "Or folders that are on the server already",
            "paths",
            "multiple",
            note="Nothing is copied: the data stay where they are.",
        ),
    )

    datasets = OwnAssetsField(
        Dataset.objects.all(),
        widget=AssetPicker(multiple=True),
        help_text="The datasets of your organisation that they belong to.",
    )
    archives = StagedFilesField(
        label="Files",
        required=False,
        help_text="Zip or tar archives; each one is a data sample. You may choose several.",
        url_name="upload-data-sample",
        accept=ARCHIVES,
        folders=True,
        advise=archive_advice,
    )
    paths = forms.CharField(
        label="Folders on the server",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, below your organisation's folder; each one is a data sample. "
        "Nothing is copied.",
    )
    multiple = forms.BooleanField(
        label="Each subfolder is a sample",
        required=False,
        help_text="The folders above hold one folder per data sample. Hidden files and folders "
        "in them, such as .snapshot or .DS_Store, are left out.",
    )

    def make_spec(self, values: dict[str, Any]) -> DataSampleSpec:
        self.faulty: list[File | Upload] = []
        uploads: list[File] = values.get("archives", [])
        lines = values.get("paths", "").splitlines()
        return DataSampleSpec(
            data_manager_keys=[dataset.key for dataset in values.get("datasets", ())],
            archives={f"archives[{index}]": upload for index, upload in enumerate(uploads)},
            paths=[Path(line.strip()) for line in lines if line.strip()],
            multiple=values.get("multiple", False),
        )

    def check(self) -> Iterable[Problem]:
        return check_data_samples(self.spec, self.actor)

    def add_problem(self, problem: Problem) -> None:
        upload = self.spec.archives.get(problem.field)
        if upload is None:
            super().add_problem(problem)
        else:
            # People know their files by name, not by number.
            message = f"{upload.name}: {problem.sentence}"
            self.add_error("archives", ValidationError(message, code=problem.code.label))
            self.faulty.append(getattr(upload, "upload", upload))

    def faulty_files(self, name: str) -> list[File | Upload]:
        # One archive that is wrong is no reason to send the others again.
        return self.faulty

    def save(self) -> list[DataSample]:
        return register_data_samples(self.spec, self.actor)


class LinkSamplesForm(PageForm):
    """Adds data samples that are registered to further datasets."""

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
        help_text="Data samples of your organisation.",
    )
    datasets = OwnAssetsField(
        Dataset.objects.all(),
        label="Add to datasets",
        widget=AssetPicker(multiple=True),
        help_text="Datasets of your organisation. A link that exists stays; none is removed.",
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

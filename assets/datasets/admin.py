"""The admin of datasets and data samples."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html

from ..common.admin.base import ReadOnlyInline
from ..common.files.hidden import some_of
from ..common.text.reading import counted
from ..permissions.access import may_see_content
from ..permissions.admin import AssetAdmin, show_permissions, stored_file
from .forms import DataSampleForm, DatasetForm, DatasetRenameForm, LinkSamplesForm
from .models import DataSample, DataSampleLink, Dataset
from .registration import left_out


@admin.register(Dataset)
class DatasetAdmin(AssetAdmin):
    add_form = DatasetForm
    change_form = DatasetRenameForm
    list_display = (
        "name",
        "type",
        "owned_by",
        "permissions_badge",
        "sample_count",
        "registered_at",
    )
    list_filter = ("owner", "type", "permissions__public", "creation_date")
    search_fields = ("name", "key", "type", "=opener_checksum", "=description_checksum")
    search_help_text = "Name, key, type, or the checksum of a file."
    add_fieldsets = (
        (None, {"fields": ("name", "type", "data_opener", "description", "metadata")}),
        (
            "Who may use it",
            {
                "fields": ("permissions", "logs_permission"),
                "description": "Names, types and metadata are seen by the whole consortium. "
                "Permissions are about using the data and downloading the files; "
                "they cannot be changed later.",
            },
        ),
    )
    fieldsets = (
        (None, {"fields": ("name", "type", "key", "owner", "creation_date", "metadata_lines")}),
        ("Who may use it", {"fields": ("permissions_badge", "logs_badge")}),
        ("Files", {"fields": ("opener_file", "description_file")}),
    )

    opener_file = stored_file("opener", "api:data_manager-opener")
    description_file = stored_file("description", "api:data_manager-description")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(samples=Count("links"))

    def get_search_results(self, request, queryset, search_term):
        if request.GET.get("model_name") == "datasample":
            # Only an organisation's own datasets take its data samples.
            queryset = queryset.filter(owner=request.user.organization_id)
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="data samples", ordering="samples")
    def sample_count(self, dataset: Any) -> int:
        return dataset.samples

    @admin.display(description="logs permission")
    def logs_badge(self, dataset: Dataset) -> str:
        return show_permissions(dataset.logs_permission)


class LinkInline(ReadOnlyInline):
    model = DataSampleLink
    verbose_name_plural = "datasets that it belongs to"
    fields = ("dataset",)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("dataset")


class SampleLinkForm(LinkSamplesForm):
    """Adds the data sample of the page to further datasets."""

    data_samples = None  # type: ignore[assignment]

    def make_spec(self, values: dict[str, Any]):
        return super().make_spec({**values, "data_samples": [self.asset]})

    def save(self) -> list[DataSample]:
        super().save()
        return [self.asset]


@admin.register(DataSample)
class DataSampleAdmin(AssetAdmin):
    add_form = DataSampleForm
    change_form = SampleLinkForm
    inlines = (LinkInline,)
    autocomplete_fields = ("datasets",)
    list_display = ("key", "owned_by", "source", "dataset_count", "registered_at")
    list_filter = ("owner", "creation_date")
    list_select_related = False
    search_fields = ("key", "datasets__name", "datasets__key")
    search_help_text = "Key of the data sample; name or key of a dataset."
    add_fieldsets = (
        (
            None,
            {
                "fields": ("datasets", "archives", "paths", "multiple"),
                "description": "Upload files, or name folders on the server: one or the other. "
                "All are registered or none.",
            },
        ),
    )
    fieldsets = ((None, {"fields": ("key", "owner", "creation_date", "source", "content")}),)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(dataset_links=Count("links"))

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj and self.has_change_permission(request, obj):
            return (*fieldsets, ("Add to more datasets", {"fields": ("datasets",)}))
        return fieldsets

    def keep(self, request, obj, row):
        rows: list[DataSample] = row
        super().keep(request, obj, rows[0])
        if len(rows) > 1:
            message = f"{counted(len(rows), 'data sample')} were registered; this is the first:"
            self.message_user(request, message, messages.SUCCESS)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not change and (
            hidden := some_of(path.name for path in left_out(form.spec, request.user))
        ):
            message = f"Left out, as they are hidden: {hidden}."
            self.message_user(request, message, messages.WARNING)

    @admin.display(description="datasets", ordering="dataset_links")
    def dataset_count(self, sample: Any) -> int:
        return sample.dataset_links

    @admin.display(description="source")
    def source(self, sample: DataSample) -> str:
        return "uploaded" if sample.archive else "folder on the server"

    @admin.display(description="content")
    def content(self, sample: Any) -> str:
        """Show what the sample holds to its owner; to nobody else, as the API does."""
        if not may_see_content(sample.viewer, sample):
            return "Only its owner is told."
        return format_html(
            "{}{} · sha256 <code>{}</code>",
            f"{sample.path} · " if sample.path else "",
            filesizeformat(sample.size),
            sample.checksum,
        )

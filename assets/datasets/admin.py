"""The admin of datasets and data samples."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _

from ..common.admin.base import ChangePage, ReadOnlyInline
from ..common.admin.display import column, section
from ..common.files.hidden import some_of
from ..common.forms.layouts import Section
from ..feed.forms import RenameForm
from ..permissions.access import may_see_content
from ..permissions.admin import AssetAdmin, rename_page, stored_file
from .forms import DataSampleForm, DatasetForm, LinkSamplesForm
from .models import DataSample, DataSampleLink, Dataset
from .registration import left_out


@admin.register(Dataset)
class DatasetAdmin(AssetAdmin):
    add_form = DatasetForm
    change_pages = {"rename": rename_page(RenameForm)}
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
    search_help_text = _("Search by name, key, type, or the checksum of a file.")
    fieldsets = (
        section(None, "name", "type", "key", "owner", "creation_date", "metadata_lines"),
        section(_("Permissions"), "permissions_badge", "logs_badge"),
        section(_("Files"), "opener_file", "description_file"),
    )

    opener_file = stored_file("opener", "api:data_manager-opener", _("opener"))
    description_file = stored_file("description", "api:data_manager-description", _("description"))
    sample_count = column(_("data samples"), "samples", ordering="samples")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(samples=Count("links"))

    def get_search_results(self, request, queryset, search_term):
        if request.GET.get("model_name") == "datasample":
            # An organisation adds its data samples to its own datasets only.
            queryset = queryset.filter(owner=request.user.organization_id)
        return super().get_search_results(request, queryset, search_term)


class LinkInline(ReadOnlyInline):
    model = DataSampleLink
    verbose_name_plural = _("datasets of this data sample")
    fields = ("dataset",)
    select_related = ("dataset",)


class SampleLinkForm(LinkSamplesForm):
    """Adds the data sample `asset` to more datasets."""

    data_samples = None  # type: ignore[assignment]
    sections = (Section("", "datasets"),)

    def make_spec(self, values: dict[str, Any]):
        return super().make_spec({**values, "data_samples": [self.asset]})


@admin.register(DataSample)
class DataSampleAdmin(AssetAdmin):
    add_form = DataSampleForm
    change_pages = {
        "link": ChangePage(
            _("Add to datasets"),
            SampleLinkForm,
            done=_("The data sample %(row)s was added to the datasets."),
        )
    }
    inlines = (LinkInline,)
    autocomplete_fields = ("datasets",)
    list_display = ("key", "owned_by", "source", "dataset_count", "registered_at")
    list_filter = ("owner", "creation_date")
    list_select_related = False
    search_fields = ("key", "datasets__name", "datasets__key")
    search_help_text = _("Search by key, or by the name or key of a dataset.")
    fields = ("key", "owner", "creation_date", "source", "content")

    dataset_count = column(_("datasets"), "dataset_links", ordering="dataset_links")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(dataset_links=Count("links"))

    def added(self, request, form, result):
        if len(result) > 1:
            message = gettext("%(count)d data samples are registered. This is the first:")
            self.message_user(request, message % {"count": len(result)}, messages.SUCCESS)
        if hidden := some_of(path.name for path in left_out(form.spec, request.user)):
            message = gettext("Hidden files are left out: %(names)s.") % {"names": hidden}
            self.message_user(request, message, messages.WARNING)
        return result[0]

    @admin.display(description=_("source"))
    def source(self, sample: DataSample) -> str:
        return sample.source_label

    @admin.display(description=_("content"))
    def content(self, sample: Any) -> str:
        """Return what the sample holds, for its owner only, as in the API."""
        if not may_see_content(sample.viewer, sample):
            return gettext("Only %(owner)s can see the contents.") % {"owner": sample.owner_id}
        path = f"{sample.path} · " if sample.path else ""
        found = sample.content
        if not found.checksum:
            return f"{path}{found.problem or found.state_label}"
        return format_html(
            "{}{} · sha256 <code>{}</code>", path, filesizeformat(found.size), found.checksum
        )

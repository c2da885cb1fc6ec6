"""What the pages of the admin share: rows that are shown, and forms of specs that register them.

The admin expects ModelForms that fill an instance in and save it. Ours build a spec, and
registration writes the rows; `admin_form` and `RegistrationInline` make one look like the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..audit import note_refusals
from ..errors import Refused
from ..forms.fields import asset_label
from ..forms.formsets import RowFormSetMixin
from ..forms.spec_form import SpecForm
from .history import HistoryAdmin
from .lists import ListAdmin
from .outages import OutageAdmin, unless_outage

# The admin's style sheet knows inputs by these classes.
_CLASSES = {forms.TextInput: "vTextField", forms.Textarea: "vLargeTextField"}


def dress(form: forms.BaseForm, widgets: Mapping[str, forms.Widget]) -> None:
    """Give a plain form the admin's looks, and some of its fields another widget."""
    for name, widget in widgets.items():
        field: Any = form.fields[name]
        widget.is_required = field.required
        if hasattr(field, "choices"):
            widget.choices = field.choices  # type: ignore[attr-defined]
        field.widget = widget
    for field in form.fields.values():
        for widget_class, css_class in _CLASSES.items():
            if isinstance(field.widget, widget_class):
                field.widget.attrs.setdefault("class", css_class)


class AsModelForm:
    """Mixin that makes a form of a spec pass for a ModelForm; the instance stays as it is."""

    actor_of_request: Any
    admin_widgets: Mapping[str, forms.Widget]

    def __init__(self, *args: Any, instance: Model | None = None, **kwargs: Any) -> None:
        kwargs |= {"actor": self.actor_of_request, "asset": instance, "instance": instance}
        super().__init__(*args, **kwargs)
        # The admin hands its formsets this instance, and they find their form by it.
        self.instance: Any
        self.instance.spec_form = self
        dress(self, self.admin_widgets)  # type: ignore[arg-type]

    def make_formsets(self) -> dict[str, RowFormSetMixin]:
        # The admin makes the formsets; each adds itself (`AdminRows`).
        return {}

    def _post_clean(self) -> None:
        """Leave the instance alone: the rules have run, and `save` registers the spec."""


def admin_form(
    form: type[forms.Form],
    model: type[Model],
    actor: Any,
    widgets: Mapping[str, forms.Widget] | None = None,
) -> Any:
    """Return the class of a form as the admin wants it, bound to who acts."""
    meta = type("Meta", (), {"model": model, "fields": ()})
    attributes = {"Meta": meta, "actor_of_request": actor, "admin_widgets": widgets or {}}
    return type(form.__name__, (AsModelForm, form, forms.ModelForm), attributes)


class AsModelRow:
    """Mixin that makes a row of a spec's list pass for the ModelForm of an inline."""

    admin_widgets: Mapping[str, forms.Widget]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self, self.admin_widgets)  # type: ignore[arg-type]

    def _post_clean(self) -> None:
        """Leave the instance alone: rules of models would say twice what the form's rules say."""


class AdminRows(RowFormSetMixin, forms.BaseInlineFormSet):
    """The rows of an inline; the form above them reads and checks them with its own fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The admin asks the form whether it is valid before it asks its formsets. By then the
        # form must know them: a rule about all rows has to fail before anything is stored.
        self.spec_form.formsets[str(self.prefix)] = self

    @property
    def spec_form(self) -> SpecForm:
        return self.instance.spec_form

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "actor": self.spec_form.actor}

    def clean(self) -> None:
        """Leave out the look for duplicates that formsets of models take."""


class OpenInline(admin.TabularInline):
    """An inline whose permissions are those of its page."""

    view_on_site = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class RegistrationInline(OpenInline):
    """RowFormSetMixin of the form that registers an asset; part of the page that adds one."""

    row_form: type[forms.Form]
    extra = 1
    # There is nothing to delete yet: a row that is not wanted is removed, or left blank.
    can_delete = False

    def row_widgets(self) -> dict[str, forms.Widget]:
        """Return widgets that take the place of the form's own."""
        return {}

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        bases = (AsModelRow, self.row_form, forms.ModelForm)
        row = type(self.row_form.__name__, bases, {"admin_widgets": self.row_widgets()})
        return forms.inlineformset_factory(
            self.parent_model,
            self.model,
            form=row,
            formset=AdminRows,
            fk_name=self.fk_name,
            fields=(),
            extra=self.extra,
            can_delete=False,
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": list(self.row_form.base_fields)})]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_change_permission = has_delete_permission = has_add_permission


class ReadOnlyInline(OpenInline):
    """RowFormSetMixin that were registered with the asset of the page."""

    extra = max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class RegistryAdmin(ListAdmin, HistoryAdmin, OutageAdmin):
    """Shows rows to everybody who may enter; a kind says what else may be done with them.

    A kind gives the form that adds a row and the form that changes one; without, nobody does.
    Their `save` is what writes: the admin itself saves nothing.
    """

    add_form: ClassVar[type[forms.Form] | None] = None
    change_form: ClassVar[type[forms.Form] | None] = None
    add_fieldsets: ClassVar[Any] = ()
    # The inlines of the page that adds; `inlines` are those of the page that shows.
    add_inlines: ClassVar[Any] = ()
    list_select_related: ClassVar[Any] = False
    empty_value_display = "-"
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    # --- Who may --------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def why_not(self, request: HttpRequest) -> str:
        """Say why the user adds nothing of this kind; blank when that needs no saying."""
        return ""

    # --- What a page shows ----------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"why_not": self.why_not(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        changing = self.change_form.base_fields if self.change_form else ()
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        return [name for name in shown if name not in changing]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else self.add_inlines

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = (self.change_form if change else self.add_form) or NothingToDo
        found = admin_form(form, self.model, request.user, self.form_widgets(form))
        return unless_outage(found, request)

    def form_widgets(self, form: type[forms.Form]) -> dict[str, forms.Widget]:
        """Return the widgets that pick a row by what is typed."""
        widgets: dict[str, forms.Widget] = {}
        for name in self.autocomplete_fields:
            if field := form.base_fields.get(name):
                many = isinstance(field, forms.ModelMultipleChoiceField)
                widget = AutocompleteSelectMultiple if many else AutocompleteSelect
                widgets[name] = widget(self.model._meta.get_field(name), self.admin_site)
        return widgets

    def autocomplete_label(self, obj: Any) -> str:
        """Return how the row is named where one is picked."""
        return asset_label(obj)

    # --- What is done ---------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        if object_id is None and not self.has_add_permission(request):
            raise PermissionDenied(self.why_not(request))
        try:
            # Not in a transaction, as Django's would be: registration has its own, and leaves
            # other writers alone while a large file is read.
            answer = self._changeform_view(request, object_id, form_url, extra_context)
            page = (getattr(answer, "context_data", None) or {}).get("adminform")
            note_refusals(getattr(page and page.form, "problems", ()))
            return answer
        except (Refused, ValidationError) as error:
            note_refusals(getattr(error, "problems", ()))
            # Something came in between the check and the writing: nothing was written.
            for message in messages_of(error):
                self.message_user(request, message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.keep(request, obj, form.save())

    def keep(self, request: HttpRequest, obj: Any, row: Any) -> None:
        """Let `obj`, with which the admin goes on, be the row as it was written."""
        vars(obj).update(vars(row))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save nothing: the form wrote its rows."""

    def construct_change_message(self, *args: Any, **kwargs: Any) -> Any:
        return []


class NothingToDo(forms.Form):
    """The form of pages that only show."""

    def __init__(self, *args: Any, actor: Any, asset: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


def messages_of(error: Refused | ValidationError) -> list[str]:
    """Return what a writer says when it refuses."""
    if isinstance(error, Refused):
        return [problem.sentence for problem in error.problems]
    return error.messages


class Autocomplete(AutocompleteJsonView):
    """Answers what is typed into a field that picks a row."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        label = self.model_admin.autocomplete_label(obj)  # type: ignore[attr-defined]
        return {**super().serialize_result(obj, to_field_name), "text": label}


class KeySelect(AutocompleteSelect):
    """Picks the key of a row by its name, for fields that take keys and not rows.

    Args:
        models: the kinds that the key may be of.
        url: where the names are asked for, unless they are those of the foreign key `field`.
    """

    def __init__(
        self, field: Any, admin_site: Any, *, models: tuple[type[Model], ...], url: str = ""
    ) -> None:
        super().__init__(field, admin_site)
        self.models, self.url = models, url

    def get_url(self) -> str:
        return self.url or super().get_url()

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> Any:
        labels = {"": "", **{key: self.label_of(key) for key in value if key}}
        options = [
            self.create_option(name, key, label, key in value, index)
            for index, (key, label) in enumerate(labels.items())
        ]
        return [(None, options, 0)]

    def label_of(self, key: str) -> str:
        field = forms.UUIDField()
        try:
            pk = field.clean(key)
        except forms.ValidationError:
            return key
        rows = (model._default_manager.filter(pk=pk).first() for model in self.models)
        return next((asset_label(row) for row in rows if row), key)


def badge(text: str, css_class: str = "") -> SafeString:
    """Return a short word in a box, such as a status."""
    return format_html('<span class="registrar-badge {}">{}</span>', css_class, text)

"""The admin of organisations, users and tokens."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ..common.admin.base import ChangePage, RegistryAdmin
from ..common.admin.display import column, section
from ..common.audit import SubjectKind
from ..common.db.lookups import OrderKey
from ..common.forms.layouts import Section
from ..common.kinds import AssetKind
from .confirmation import is_password_confirmed
from .forms.organizations import OrganizationForm
from .forms.tokens import TokenForm
from .forms.users import UserChangeForm, UserForm
from .models import ApiToken, Organization, User
from .pages.base import redirect_to_confirmation
from .queries import managed_users
from .registration.tokens import delete_token
from .rules import acts_for_one, may_add_organizations, may_manage_user, may_manage_users


@admin.register(Organization)
class OrganizationAdmin(RegistryAdmin):
    """Platform superusers add organisations; everyone sees them."""

    add_form = OrganizationForm
    list_display = ("id", "name", "user_count", "creation_date")
    search_fields = ("id", "name")
    name_columns = ("id", "name")
    ordering = (OrderKey("id"), "id")
    fields = ("id", "name", "creation_date")

    user_count = column(_("users"), "members", ordering="members")

    def has_add_permission(self, request) -> bool:
        return may_add_organizations(request.user)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(members=Count("users"))

    def autocomplete_label(self, obj: Organization) -> str:
        return str(obj)

    def event_lookups(self, obj: Organization) -> dict[str, str]:
        return {"asset_kind__exact": AssetKind.ORGANIZATION.value, "asset_name": obj.pk}


@admin.register(User)
class UserAdmin(RegistryAdmin):
    """An organisation's admins manage its users; others see themselves."""

    add_form = UserForm
    change_pages = {"edit": ChangePage(_("Edit"), UserChangeForm, done=_("Saved %(row)s."))}
    list_display = ("username", "organization", "role", "is_active", "last_login", "date_joined")
    list_filter = ("role", "is_active", "organization")
    list_select_related = ("organization",)
    search_fields = ("username", "organization__id", "organization__name")
    name_columns = ("username",)
    ordering = (OrderKey("username"), "id")
    add_note = _("You cannot change a user's organisation later.")
    fieldsets = (
        section(None, "username", "organization", "role", "is_active"),
        section(_("Dates"), "last_login", "date_joined"),
    )

    def get_queryset(self, request):
        return managed_users(request.user).order_by(*self.ordering)

    def has_add_permission(self, request) -> bool:
        return may_manage_users(request.user, request.user.organization_id)

    def may_change(self, request, row: User) -> bool:
        return may_manage_user(request.user, row)

    def make_form(self, request, form_class, row=None):
        form = super().make_form(request, form_class, row)
        if row == request.user:
            # Users change their own password under Account, which asks for the current one.
            form.sections = (Section("", "role", "is_active"),)
        return form

    def event_lookups(self, obj: User) -> dict[str, str]:
        return {"asset_kind__exact": SubjectKind.USER.value, "asset_name": obj.username}


class SecretAdmin(RegistryAdmin):
    """Adds rows with a secret, which is shown once, to users who have confirmed their password."""

    def how_to_use(self, secret: SafeString) -> SafeString:
        """Return the message that shows the secret."""
        raise NotImplementedError

    def add_view(self, request, form_url="", extra_context=None):
        if self.has_add_permission(request) and not is_password_confirmed(request):
            return redirect_to_confirmation(request)
        return super().add_view(request, form_url, extra_context)

    def added(self, request, form, result):
        message = self.how_to_use(format_html("<code>{}</code>", form.secret))
        self.message_user(request, message, messages.WARNING)
        return result


@admin.register(ApiToken)
class ApiTokenAdmin(SecretAdmin):
    """Users create tokens for themselves; they, or who manages them, revoke tokens."""

    add_form = TokenForm
    list_display = ("__str__", "user", "kind", "created_at", "expires_at")
    list_filter = ("kind", "expires_at")
    list_select_related = ("user",)
    search_fields = ("note", "user__username")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "id")
    add_note = _(
        "Programs use this token to sign in as you. You see it once, after you save it. Keep it "
        "as safe as a password."
    )
    fields = ("user", "kind", "note", "created_at", "expires_at")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user__in=managed_users(request.user))

    def has_add_permission(self, request) -> bool:
        return acts_for_one(request.user)

    def has_delete_permission(self, request, obj: Any = None) -> bool:
        own = obj is None or obj.user_id == request.user.pk
        return own or may_manage_user(request.user, obj.user)

    def how_to_use(self, secret):
        return format_html(
            gettext("Your token, shown only once: {token} Programs send it as {header}."),
            token=secret,
            header=format_html("<code>{}</code>", "Authorization: Token …"),
        )

    def delete_model(self, request, obj):
        delete_token(obj, request.user)

    def delete_queryset(self, request, queryset):
        for token in queryset:
            delete_token(token, request.user)

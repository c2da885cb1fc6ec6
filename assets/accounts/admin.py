"""The admin of organisations, users and tokens."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.utils.html import format_html

from ..common.admin.base import RegistryAdmin
from ..common.audit import SubjectKind
from ..common.db.lookups import OrderKey
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
    """Platform superusers add organisations; everybody sees them."""

    add_form = OrganizationForm
    list_display = ("id", "name", "user_count", "creation_date")
    search_fields = ("id", "name")
    by_name = ("id", "name")
    ordering = (OrderKey("id"), "id")
    add_fieldsets = ((None, {"fields": ("id", "name")}),)
    fields = ("id", "name", "creation_date")

    def has_add_permission(self, request) -> bool:
        return may_add_organizations(request.user)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(members=Count("users"))

    def autocomplete_label(self, obj: Organization) -> str:
        return str(obj)

    def events_about(self, obj: Organization) -> dict[str, str]:
        return {"asset_kind__exact": AssetKind.ORGANIZATION.value, "asset_name": obj.pk}

    @admin.display(description="users", ordering="members")
    def user_count(self, organization: Any) -> int:
        return organization.members


@admin.register(User)
class UserAdmin(RegistryAdmin):
    """An organisation's admins manage its users; others see themselves."""

    add_form = UserForm
    change_form = UserChangeForm
    list_display = ("username", "organization", "role", "is_active", "last_login", "date_joined")
    list_filter = ("role", "is_active", "organization")
    list_select_related = ("organization",)
    search_fields = ("username", "organization__id", "organization__name")
    by_name = ("username",)
    ordering = (OrderKey("username"), "id")
    add_fieldsets = (
        (
            None,
            {
                "fields": ("username", "organization", "role", "password"),
                "description": "A user acts for one organisation, which cannot be changed later.",
            },
        ),
    )
    fieldsets = (
        (None, {"fields": ("username", "organization", "role", "is_active")}),
        ("Password", {"fields": ("new_password",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request):
        return managed_users(request.user).order_by(*self.ordering)

    def has_add_permission(self, request) -> bool:
        return may_manage_users(request.user, request.user.organization_id)

    def has_change_permission(self, request, obj: Any = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return may_manage_user(request.user, obj)

    def events_about(self, obj: User) -> dict[str, str]:
        return {"asset_kind__exact": SubjectKind.USER.value, "asset_name": obj.username}

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        # One's own is changed under Account, where the present one is asked for.
        may_set = obj and self.has_change_permission(request, obj) and obj != request.user
        if obj and not may_set:
            return [fieldset for fieldset in fieldsets if fieldset[0] != "Password"]
        return fieldsets


@admin.register(ApiToken)
class ApiTokenAdmin(RegistryAdmin):
    """Tokens are made for oneself, and revoked by their user or by who manages that user."""

    add_form = TokenForm
    list_display = ("__str__", "user", "kind", "created_at", "expires_at")
    list_filter = ("kind", "expires_at")
    list_select_related = ("user",)
    search_fields = ("note", "user__username")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "id")
    add_fieldsets = (
        (
            None,
            {
                "fields": ("note", "days"),
                "description": "The token signs programs in as you. It is shown once, after "
                "saving: keep it like a password.",
            },
        ),
    )
    fields = ("user", "kind", "note", "created_at", "expires_at")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user__in=managed_users(request.user))

    def has_add_permission(self, request) -> bool:
        return acts_for_one(request.user)

    def has_delete_permission(self, request, obj: Any = None) -> bool:
        own = obj is None or obj.user_id == request.user.pk
        return own or may_manage_user(request.user, obj.user)

    def add_view(self, request, form_url="", extra_context=None):
        if self.has_add_permission(request) and not is_password_confirmed(request):
            return redirect_to_confirmation(request)
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        message = format_html(
            "Your token, shown this once: <code>{}</code> Programs send it as "
            "<code>Authorization: Token …</code>.",
            form.secret,
        )
        self.message_user(request, message, messages.WARNING)

    def delete_model(self, request, obj):
        delete_token(obj, request.user)

    def delete_queryset(self, request, queryset):
        for token in queryset:
            delete_token(token, request.user)

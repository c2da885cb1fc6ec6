"""The admin of runners, of their jobs, and of approvals: each organisation sees its own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.admin import SecretAdmin
from ..accounts.models import Runner
from ..accounts.rules import manages_all, may_manage_runners, may_revoke_runners
from ..common.admin.base import ChangePage, RegistryAdmin
from .forms import RevokeForm, RunnerForm
from .models import SUBJECTS, Approval, Job


class OwnAdmin(RegistryAdmin):
    """Shows the rows of the user's organisation; superusers see all."""

    # The lookup of the organisation whose row it is.
    organization_lookup = "organization"

    def get_queryset(self, request: Any) -> QuerySet:
        rows: QuerySet = super().get_queryset(request)
        if manages_all(request.user):
            return rows
        return rows.filter(**{self.organization_lookup: request.user.organization_id})


@admin.register(Runner)
class RunnerAdmin(SecretAdmin, OwnAdmin):
    """Admins register and revoke the runners of their organisation; superusers revoke any."""

    add_form = RunnerForm
    change_pages = {
        "revoke": ChangePage(
            _("Revoke"),
            RevokeForm,
            done=_("Revoked the runner %(row)s."),
            button=_("Revoke runner"),
            note=_(
                "The runner stops as soon as it asks for work or reports. Another runner runs "
                "again what it runs now. You cannot undo this."
            ),
            is_offered=lambda runner: runner.revoked_at is None,
        )
    }
    list_display = ("name", "organization", "last_seen", "version", "engine", "revoked_at")
    list_filter = ("organization", "revoked_at", "engine")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__id")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "id")
    add_note = _(
        "A runner downloads what your organisation may process. You see its token once, after you "
        "save it. Keep it as safe as a password."
    )
    fields = (
        *("name", "organization", "created_at"),
        *("last_seen", "version", "engine", "revoked_at"),
    )

    def has_add_permission(self, request) -> bool:
        return may_manage_runners(request.user, request.user.organization_id)

    def may_change(self, request, row: Runner) -> bool:
        return may_revoke_runners(request.user, row.organization_id)

    def how_to_use(self, secret):
        return format_html(
            gettext("The runner's token, shown only once: {token} Start it with {command}."),
            token=secret,
            command=format_html("<code>{}</code>", "manage.py runner --token-file …"),
        )


@admin.register(Job)
class JobAdmin(OwnAdmin):
    """What runners run and ran, one row an attempt."""

    organization_lookup = "runner__organization"
    list_display = ("key", "runner", "about", "claimed_at", "ended_at", "outcome")
    list_filter = ("outcome", "runner__organization", "claimed_at")
    list_select_related = ("runner",)
    search_fields = ("key", "task__key", "function__key", "runner__name")
    search_help_text = _("Search by key of the job, the task or the function, or by runner.")
    date_hierarchy = "claimed_at"
    ordering = ("-claimed_at", "key")
    fields = (
        *("key", "runner", "task", "function", "trial", "data_sample"),
        *("losses", "claimed_at", "expires_at", "ended_at", "outcome"),
    )

    @admin.display(description=_("job"))
    def about(self, job: Job) -> str:
        name, key = next(
            (name, key) for name in SUBJECTS if (key := getattr(job, f"{name}_id")) is not None
        )
        subject: Any = Job._meta.get_field(name).related_model
        return f"{subject._meta.verbose_name} {str(key)[:8]}"


@admin.register(Approval)
class ApprovalAdmin(OwnAdmin):
    """The decisions that stand; the pages of approvals write them."""

    list_display = ("about", "organization", "approved", "decided_by", "decided_at", "reason")
    list_filter = ("approved", "organization", "decided_at")
    list_select_related = ("organization", "compute_plan", "function", "decided_by")
    search_fields = ("compute_plan__name", "function__name", "compute_plan__key", "function__key")
    search_help_text = _("Search by name or key of the compute plan or the function.")
    date_hierarchy = "decided_at"
    ordering = ("-decided_at", "-pk")
    fields = (
        *("organization", "compute_plan", "function", "digest", "tasks_until"),
        *("approved", "reason", "decided_by", "decided_at"),
    )

    @admin.display(description=_("compute plan or function"))
    def about(self, approval: Approval) -> str:
        return str(approval.compute_plan or approval.function)

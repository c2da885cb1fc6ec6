"""The admin site: every active user of an organisation may enter; roles decide what they may do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .accounts.rules import may_enter_admin

RECENT_EVENTS = 12

# The sections of the index; a model of no section is listed under "More".
SECTIONS = {
    _("Assets"): ("Dataset", "DataSample", "Function", "ComputePlan", "Task"),
    _("Results"): ("Model", "Performance", "FailureReport"),
    _("Runners"): ("Runner", "Job", "Approval"),
    _("Consortium"): ("Organization", "User", "ApiToken"),
    _("Audit"): ("Event", "Permissions"),
}


class RegistrarAdminSite(AdminSite):
    site_header = site_title = "Registrar"
    index_title = _("Registered assets")
    site_url = None
    empty_value_display = "-"

    def has_permission(self, request) -> bool:
        return may_enter_admin(request.user)

    def login(self, request, extra_context=None):
        """Sign in by the dashboard's page: the same limits and the same second factor."""
        from .accounts.pages.sign_in import SignInPage

        return SignInPage.as_view(next_page="admin:index")(request)

    def logout(self, request, extra_context=None):
        from .accounts.pages.sign_in import SignOutView

        return SignOutView.as_view()(request)

    def password_change(self, request, extra_context=None):
        return HttpResponseRedirect(reverse("account-password"))

    def get_app_list(self, request, app_label=None) -> list[dict[str, Any]]:
        """Return the models by section."""
        if not self.has_permission(request):
            # The sign-in page asks for the list too.
            return []
        apps_found = super().get_app_list(request, app_label)
        if app_label is not None or not apps_found:
            return apps_found
        models = {model["object_name"]: model for app in apps_found for model in app["models"]}
        sections = [
            {
                **apps_found[0],
                "name": name,
                "models": [models.pop(one) for one in names if one in models],
            }
            for name, names in SECTIONS.items()
        ]
        more = {**apps_found[0], "name": _("More"), "models": list(models.values())}
        return [section for section in (*sections, more) if section["models"]]

    def index(self, request, extra_context=None):
        from .feed.queries import public_events, with_visible_actor

        events = with_visible_actor(public_events(), request.user)
        context = {"recent_events": events[:RECENT_EVENTS], **(extra_context or {})}
        return super().index(request, context)

    def autocomplete_view(self, request):
        from .common.admin.pickers import Autocomplete

        return Autocomplete.as_view(admin_site=self)(request)

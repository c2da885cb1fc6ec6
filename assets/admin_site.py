"""The admin site: every active user of an organisation may enter; roles decide what it can do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpResponseRedirect
from django.urls import reverse

from .accounts.rules import may_enter_admin

RECENT_EVENTS = 12

# The index, section by section; a model that is in none is listed under "More".
SECTIONS = {
    "Assets": ("Dataset", "DataSample", "Function", "ComputePlan", "Task"),
    "What work produced": ("Model", "Performance", "FailureReport"),
    "Consortium": ("Organization", "User", "ApiToken"),
    "Audit": ("Event", "Permissions"),
}


class RegistrarAdminSite(AdminSite):
    site_header = site_title = "Registrar"
    index_title = "Registered assets"
    site_url = None
    empty_value_display = "-"

    def has_permission(self, request) -> bool:
        return may_enter_admin(request.user)

    def login(self, request, extra_context=None):
        """Sign in as everywhere else: the same limits, and the same second factor."""
        from .accounts.pages.sign_in import SignInPage

        return SignInPage.as_view(next_page="admin:index")(request)

    def logout(self, request, extra_context=None):
        from .accounts.pages.sign_in import SignOutView

        return SignOutView.as_view()(request)

    def password_change(self, request, extra_context=None):
        return HttpResponseRedirect(reverse("account-password"))

    def get_app_list(self, request, app_label=None) -> list[dict[str, Any]]:
        """Return the models by section, in the order in which they are registered in life."""
        if not self.has_permission(request):
            # The page that signs in has the list too.
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
        more = {**apps_found[0], "name": "More", "models": list(models.values())}
        return [section for section in (*sections, more) if section["models"]]

    def index(self, request, extra_context=None):
        from .feed.queries import public_events, with_visible_actor

        events = with_visible_actor(public_events(), request.user)
        context = {"recent_events": events[:RECENT_EVENTS], **(extra_context or {})}
        return super().index(request, context)

    def autocomplete_view(self, request):
        from .common.admin.pickers import Autocomplete

        return Autocomplete.as_view(admin_site=self)(request)

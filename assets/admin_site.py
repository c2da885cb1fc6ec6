"""The admin site: every active user of an organisation may enter; roles decide what it can do."""

from django.contrib.admin import AdminSite


class RegistrarAdminSite(AdminSite):
    site_header = site_title = "Registrar"
    index_title = "Registered assets"

    def has_permission(self, request) -> bool:
        user = request.user
        return user.is_active and (
            user.is_superuser or bool(getattr(user, "organization_id", None))
        )

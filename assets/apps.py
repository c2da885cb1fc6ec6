"""The app, and the admin site that knows organisations."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registrar"

    def ready(self) -> None:
        from .common.ops.health import database_checks
        from .common.text.folding import add_functions
        from .feed import receivers  # noqa: F401  they listen from here on
        from .immutable import install_triggers, is_guarded, remove_triggers

        connection_created.connect(add_functions)
        pre_migrate.connect(remove_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        database_checks["triggers"] = is_guarded


class RegistrarAdminConfig(AdminConfig):
    default_site = "assets.admin_site.RegistrarAdminSite"

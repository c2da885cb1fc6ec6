"""The app, and the admin site that knows organisations."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created
from django.db.models import Count, Sum
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registrar"

    def ready(self) -> None:
        from .accounts.queries import OWNED, OwnedRows
        from .common.ops.health import database_checks
        from .common.text.folding import add_functions
        from .compute.models import ComputePlan
        from .datasets.models import DataSample, Dataset
        from .feed import receivers  # noqa: F401  connects them
        from .functions.models import Function
        from .immutable import install_triggers, is_guarded, remove_triggers

        connection_created.connect(add_functions)
        pre_migrate.connect(remove_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        database_checks["triggers"] = is_guarded
        OWNED.update(
            {
                "datasets": OwnedRows(Dataset, Count("pk"), _("datasets")),
                "data-samples": OwnedRows(DataSample, Count("pk"), _("data samples")),
                "functions": OwnedRows(Function, Count("pk"), _("functions")),
                "compute-plans": OwnedRows(ComputePlan, Count("pk"), _("compute plans")),
                # Plans hold the number of their tasks: counting the largest table takes longer.
                "tasks": OwnedRows(ComputePlan, Sum("task_count"), _("tasks")),
            }
        )


class RegistrarAdminConfig(AdminConfig):
    default_site = "assets.admin_site.RegistrarAdminSite"

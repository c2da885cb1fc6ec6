"""The app, and the admin site that knows organisations."""

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
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
        from .compute.queries.waiting import WITHOUT_APPROVAL
        from .datasets.models import DataSample, Dataset
        from .execution.queries.approvals import keys_without_approval
        from .feed import receivers  # noqa: F401  connects them
        from .functions.models import Function
        from .immutable import install_triggers, is_guarded, remove_triggers

        connection_created.connect(add_functions)
        pre_migrate.connect(remove_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        database_checks["triggers"] = is_guarded
        WITHOUT_APPROVAL.append(keys_without_approval)
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


class RegistrarAdminConfig(SimpleAdminConfig):
    """The admin. project/urls.py lets it find what it shows, so no command imports that."""

    default_site = "assets.admin_site.RegistrarAdminSite"


class RegistrarStaticFilesConfig(StaticFilesConfig):
    """The static files, without those of packages that no page loads."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Bootstrap: other builds and parts of the one style sheet that pages load.
        *("bootstrap.css*", "bootstrap.rtl.*", "bootstrap-grid.*", "bootstrap-reboot.*"),
        "bootstrap-utilities.*",
        # htmx: its other version and its extensions.
        *("htmx-2.js", "htmx-4.*", "htmax-4.*", "ext"),
        # The API's documentation and its browsable pages.
        *("redoc", "font-awesome-*", "fontawesome-*", "bootstrap-theme.*"),
        # What the admin loads in a shorter form.
        *("jquery.js", "select2.css", "select2.full.js", "xregexp.js"),
    ]

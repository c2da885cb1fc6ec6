"""The WSGI application that gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# The limits of requests would interrupt a command.
os.environ["SERVING"] = os.environ.get("SERVING") or "true"

application = get_wsgi_application()

# These need the apps.
from assets.common.ops.preloading import preload  # noqa: E402
from assets.immutable import check_triggers  # noqa: E402

check_triggers()
preload()
if settings.METRICS_PORT:
    from assets.common.ops.metrics import with_metrics

    application = with_metrics(application)  # type: ignore[assignment]

"""Where Django looks for the admin; each room has its own part."""

# Registers groups, which decide nothing here.
import django.contrib.auth.admin  # noqa: F401

# Registers the secrets of second factors, which no one may read.
import django_otp.plugins.otp_totp.admin  # noqa: F401
from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_totp.models import TOTPDevice

from .accounts import admin as accounts
from .compute import admin as compute, output_admin as outputs
from .datasets import admin as datasets
from .execution import admin as execution
from .feed import admin as feed
from .functions import admin as functions
from .permissions import admin as permissions

__all__ = [
    "accounts",
    "compute",
    "datasets",
    "execution",
    "feed",
    "functions",
    "outputs",
    "permissions",
]

admin.site.unregister([Group, TOTPDevice])

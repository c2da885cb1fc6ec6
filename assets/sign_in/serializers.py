"""People who await approval, on the wire. Contract 1.3."""

from rest_framework import serializers

from ..organizations.serializers import ROLE_OF_WIRE, RoleSerializer
from .models import ExternalIdentity


class AwaitingSerializer(serializers.ModelSerializer):
    """Somebody whom the provider of sign-in knows."""

    class Meta:
        model = ExternalIdentity
        fields = ["username", "email"]


class ApprovalSerializer(RoleSerializer):
    """Reads the role that somebody is let in with."""

    role = serializers.ChoiceField(choices=list(ROLE_OF_WIRE), default="USER")

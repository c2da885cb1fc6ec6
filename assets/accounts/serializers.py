"""Organisations, users, tokens and approvals on the wire. Contract 1.2, 1.3, 2.1, 2.2."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers

from .models import ApiToken, ExternalIdentity, Organization, Role, User
from .rules import acts_for, check_expires_later

# The API's names of roles; the reference server has the first two.
WIRE_ROLES = {Role.ADMIN: "ADMIN", Role.MEMBER: "USER", Role.VIEWER: "VIEWER"}


ROLE_OF_WIRE = {wire: role for role, wire in WIRE_ROLES.items()}


class CredentialsSerializer(serializers.Serializer):
    """Reads a user name and a password."""

    username = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False, style={"input_type": "password"})


class TokenSerializer(serializers.ModelSerializer):
    """A token without its secret."""

    class Meta:
        model = ApiToken
        fields = ["id", "note", "expires_at", "created_at"]
        read_only_fields = ["id", "created_at"]
        extra_kwargs = {"note": {"required": False, "allow_null": True}}

    def validate_expires_at(self, value: datetime) -> datetime:
        check_expires_later(value, timezone.now())
        return value


class ImplicitTokenSerializer(serializers.ModelSerializer):
    """A token from signing in, without its secret."""

    class Meta:
        model = ApiToken
        fields = ["id", "expires_at", "created_at"]


class NewTokenSerializer(TokenSerializer):
    """A new token with its secret, which is shown once only."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class NewImplicitTokenSerializer(ImplicitTokenSerializer):
    """The token from signing in, with its secret."""

    token = serializers.CharField(read_only=True)

    class Meta(ImplicitTokenSerializer.Meta):
        fields = [*ImplicitTokenSerializer.Meta.fields, "token"]


class ActiveTokensSerializer(serializers.Serializer):
    """Documents the tokens of the user."""

    tokens = TokenSerializer(many=True)
    implicit_tokens = ImplicitTokenSerializer(many=True)


class OrganizationSerializer(serializers.ModelSerializer):
    """An organisation of the consortium."""

    address = serializers.SerializerMethodField()
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Organization
        fields = ["id", "name", "address", "creation_date", "is_current"]

    def get_address(self, organization: Organization) -> str:
        return self.context["address"]

    def get_is_current(self, organization: Organization) -> bool:
        return acts_for(self.context["request"].user, organization.id)


class UserSerializer(serializers.ModelSerializer):
    """A user of the requester's organisation."""

    # Names may have any script; the schema would read the model's pattern as ASCII.
    username = serializers.CharField()
    channel = serializers.SerializerMethodField()
    role = serializers.SerializerMethodField()
    is_external_user = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["username", "channel", "role", "is_external_user"]

    def get_channel(self, user: User) -> str:
        return settings.CHANNEL

    def get_role(self, user: User) -> str:
        return WIRE_ROLES[Role(user.role)]

    def get_is_external_user(self, user: User) -> bool:
        return getattr(user, "is_external", False)


class RoleSerializer(serializers.Serializer):
    """Reads a role by its name in the API."""

    role = serializers.ChoiceField(choices=list(ROLE_OF_WIRE))

    def validate_role(self, value: str) -> Any:
        return ROLE_OF_WIRE[value]


class ApprovalSerializer(RoleSerializer):
    """Reads the role of a person to approve."""

    role = serializers.ChoiceField(choices=list(ROLE_OF_WIRE), default="USER")


class NewUserSerializer(CredentialsSerializer, ApprovalSerializer):
    """Reads a new user."""


class PasswordSerializer(serializers.Serializer):
    """Reads a new password and, with a session, the old one."""

    password = serializers.CharField(trim_whitespace=False)
    old_password = serializers.CharField(
        trim_whitespace=False,
        required=False,
        help_text="Required with a browser's session, not with a token.",
    )


class PasswordWithTokenSerializer(serializers.Serializer):
    """Reads a new password and the reset token that allows it."""

    password = serializers.CharField(trim_whitespace=False)
    token = serializers.CharField()


class ResetTokenSerializer(serializers.Serializer):
    """Documents a reset token."""

    reset_password_token = serializers.CharField()


class DetailSerializer(serializers.Serializer):
    """Documents a response with a message."""

    detail = serializers.CharField()


class InfoConfigSerializer(serializers.Serializer):
    """Documents the features that are enabled."""

    model_export_enabled = serializers.BooleanField(required=False)


class InfoSerializer(serializers.Serializer):
    """Documents `/info/`; optional fields are for authenticated requests only."""

    host = serializers.URLField()
    organization_id = serializers.CharField(allow_blank=True)
    organization_name = serializers.CharField(allow_blank=True)
    config = InfoConfigSerializer()
    auth = serializers.DictField()
    channel = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    orchestrator_version = serializers.CharField(required=False)
    user = serializers.CharField(required=False)
    user_role = serializers.CharField(required=False)


class AwaitingSerializer(serializers.ModelSerializer):
    """A person who awaits approval."""

    class Meta:
        model = ExternalIdentity
        fields = ["username", "email"]

"""`/users/`, where admins manage the users of their organisation. Contract 1.3."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Exists, OuterRef
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotFound,
    PermissionDenied,
    ValidationError,
)
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.viewsets import GenericViewSet

from ...common.db.lookups import OrderKey
from ...common.idempotency.api import idempotent
from ..confirmation import check_own_password
from ..filters import UserFilterSet
from ..models import ExternalIdentity, User
from ..registration import passwords, users
from ..rules import check_another, may_manage_user, may_manage_users
from ..serializers import (
    NewUserSerializer,
    PasswordSerializer,
    PasswordWithTokenSerializer,
    ResetTokenSerializer,
    RoleSerializer,
    UserSerializer,
)


class UserViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The users of the requesting user's organisation."""

    serializer_class = UserSerializer
    filterset_class = UserFilterSet
    ordering_fields = {"username": OrderKey("username")}
    default_ordering = (OrderKey("username").asc(),)
    lookup_field = lookup_url_kwarg = "username"
    lookup_value_regex = "[^/]+"

    def get_queryset(self):
        # The schema is generated without a user.
        organization_id = getattr(self.actor, "organization_id", None)
        identities = ExternalIdentity.objects
        return User.objects.filter(organization_id=organization_id or "").annotate(
            is_external=Exists(identities.filter(user=OuterRef("pk")))
        )

    def get_object(self) -> User:
        self._check_readable(NotFound("Not found."))
        return super().get_object()

    def _check_readable(self, otherwise: Exception) -> None:
        """Raise the exception for a name with NUL, which PostgreSQL rejects."""
        if "\0" in self.kwargs["username"]:
            raise otherwise

    def get_serializer_class(self):
        bodies = {"POST": NewUserSerializer, "PUT": RoleSerializer}
        return bodies.get(self.request.method or "", UserSerializer)

    @property
    def actor(self) -> Any:
        """The requesting User; the permission classes refuse anyone else."""
        return self.request.user

    def _managed(self) -> User:
        """Return the user of the URL, if the requesting user may manage it."""
        self._check_manages()
        user = self.get_object()
        if not may_manage_user(self.actor, user):
            raise PermissionDenied("Only a platform superuser manages superusers.")
        return user

    def _check_manages(self) -> None:
        if not may_manage_users(self.actor, self.actor.organization_id):
            raise PermissionDenied("Only an admin of your organisation manages its users.")

    def _parsed(self, serializer_class: type) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def handle_exception(self, exc: Exception) -> Response:
        # Rules raise Django's errors; the API answers DRF's.
        if isinstance(exc, DjangoValidationError):
            exc = ValidationError(as_serializer_error(exc))
        return super().handle_exception(exc)

    def answer_again(self, names: Sequence[str]) -> Response:
        """Return the response of the request that created this user."""
        return Response(UserSerializer(self.get_queryset().get(username=names[0])).data, status=201)

    @extend_schema(request=NewUserSerializer, responses={201: UserSerializer})
    @idempotent(answer_again)
    def create(self, request: Request, *args, **kwargs) -> Response:
        self._check_manages()
        values = self._parsed(NewUserSerializer)
        try:
            user = users.create_user(organization=self.actor.organization, **values)
        except DjangoValidationError as error:
            if _name_is_taken(error):
                raise ValidationError({"detail": "Username already exists"}) from error
            raise
        return Response(UserSerializer(user).data, status=201)

    @extend_schema(request=RoleSerializer, responses={200: UserSerializer})
    def update(self, request: Request, *args, **kwargs) -> Response:
        """Change the role; nothing else can change here."""
        user = self._managed()
        users.change_role(user, self._parsed(RoleSerializer)["role"], self.actor)
        return Response(UserSerializer(user).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args, **kwargs) -> Response:
        """Delete the user; the assets that it registered stay."""
        users.delete_user(self._managed(), self.actor)
        return Response(status=204)

    @extend_schema(request=PasswordSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["put"])
    def password(self, request: Request, **kwargs) -> Response:
        """Change the requesting user's password; other tokens and all sessions end.

        A request with a browser's session needs the old password too.
        """
        user = self.get_object()
        if user.pk != self.actor.pk:
            raise PermissionDenied("You can change your own password only.")
        if isinstance(request.data, Mapping) and not request.data.get("password"):
            raise ValidationError({"detail": "missing password in the request"})
        values = self._parsed(PasswordSerializer)
        if request.auth is None:
            self._check_old_password(request, values.get("old_password", ""))
        passwords.set_password(
            user,
            values["password"],
            self.actor,
            # The request's own token stays valid.
            keep_tokens=lambda token: token == request.auth,
        )
        return Response({})

    def _check_old_password(self, request: Request, password: str) -> None:
        try:
            if not password:
                raise DjangoValidationError(
                    "Enter your present password too: you are signed in with a browser."
                )
            check_own_password(request._request, password)
        except DjangoValidationError as error:
            raise ValidationError({"old_password": error.messages}) from error

    @extend_schema(request=None, responses={200: ResetTokenSerializer})
    @action(detail=True, methods=["post"])
    def reset_password(self, request: Request, **kwargs) -> Response:
        """Return, to an admin, a token with which the user sets a new password once."""
        user = self._managed()
        check_another(self.actor, user)
        return Response({"reset_password_token": passwords.create_reset_token(user)})

    @extend_schema(
        parameters=[OpenApiParameter("token", str, required=True)],
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=True, permission_classes=[AllowAny], filterset_class=None)
    def verify_token(self, request: Request, **kwargs) -> Response:
        """Check that a reset token is valid."""
        self._user_of_reset_token(request.query_params.get("token", ""))
        return Response({})

    @extend_schema(request=PasswordWithTokenSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], permission_classes=[AllowAny])
    def set_password(self, request: Request, **kwargs) -> Response:
        """Set a new password with a reset token; tokens and sessions end."""
        values = self._parsed(PasswordWithTokenSerializer)
        user = self._user_of_reset_token(values["token"])
        try:
            passwords.set_password_by_link(user, values["token"], values["password"])
        except passwords.InvalidResetToken as error:
            raise AuthenticationFailed(error.message) from error
        return Response({})

    def _user_of_reset_token(self, secret: str) -> User:
        refused = AuthenticationFailed(passwords.InvalidResetToken().message)
        self._check_readable(refused)
        user = User.objects.filter(username=self.kwargs["username"]).first()
        # The same answer for an unknown user, so that it does not reveal which names exist.
        if user is None or not passwords.is_reset_token_valid(user, secret):
            raise refused
        return user


def _name_is_taken(error: DjangoValidationError) -> bool:
    return any(problem.code == "unique" for problem in error.error_dict.get("username", []))

"""`/users/`: an organisation's admins manage its users. Contract 1.3."""

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
    """Users of the requester's organisation; other organisations' are unknown here."""

    serializer_class = UserSerializer
    filterset_class = UserFilterSet
    ordering_fields = {"username": OrderKey("username")}
    default_ordering = (OrderKey("username").asc(),)
    lookup_field = lookup_url_kwarg = "username"
    lookup_value_regex = "[^/]+"

    def get_queryset(self):
        # The schema is drawn for nobody in particular.
        organization_id = getattr(self.actor, "organization_id", None)
        identities = ExternalIdentity.objects
        return User.objects.filter(organization_id=organization_id or "").annotate(
            is_external=Exists(identities.filter(user=OuterRef("pk")))
        )

    def get_object(self) -> User:
        self._check_readable(NotFound("Not found."))
        return super().get_object()

    def _check_readable(self, otherwise: Exception) -> None:
        """PostgreSQL cannot even be asked for a name with NUL, which nobody has."""
        if "\0" in self.kwargs["username"]:
            raise otherwise

    def get_serializer_class(self):
        bodies = {"POST": NewUserSerializer, "PUT": RoleSerializer}
        return bodies.get(self.request.method or "", UserSerializer)

    @property
    def actor(self) -> Any:
        """Who asks; a User wherever the permission classes let nobody else in."""
        return self.request.user

    def _managed(self) -> User:
        """Return the user of the URL to an admin; anybody else is refused."""
        self._check_manages()
        user = self.get_object()
        if not may_manage_user(self.actor, user):
            raise PermissionDenied("Only a platform superuser manages another one.")
        return user

    def _check_manages(self) -> None:
        if not may_manage_users(self.actor, self.actor.organization_id):
            raise PermissionDenied("Only an admin of your organisation manages its users.")

    def _parsed(self, serializer_class: type) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def handle_exception(self, exc: Exception) -> Response:
        # The rules speak Django's language of errors; the wire has its own.
        if isinstance(exc, DjangoValidationError):
            exc = ValidationError(as_serializer_error(exc))
        return super().handle_exception(exc)

    def answer_again(self, names: Sequence[str]) -> Response:
        """Answer as to the request that created this user."""
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
        """Change the role, which is all that can change here."""
        user = self._managed()
        users.change_role(user, self._parsed(RoleSerializer)["role"], self.actor)
        return Response(UserSerializer(user).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args, **kwargs) -> Response:
        """Delete the user; what it registered stays."""
        users.delete_user(self._managed(), self.actor)
        return Response(status=204)

    @extend_schema(request=PasswordSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["put"])
    def password(self, request: Request, **kwargs) -> Response:
        """Change one's own password; other tokens and all sessions end.

        Whoever is signed in by a browser's session gives the old password as well.
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
            # Whoever asks by a token goes on by it.
            keep_tokens=lambda token: token == request.auth,
        )
        return Response({})

    def _check_old_password(self, request: Request, password: str) -> None:
        try:
            if not password:
                raise DjangoValidationError(
                    "Give your present password as well: you are signed in by a browser."
                )
            check_own_password(request._request, password)
        except DjangoValidationError as error:
            raise ValidationError({"old_password": error.messages}) from error

    @extend_schema(request=None, responses={200: ResetTokenSerializer})
    @action(detail=True, methods=["post"])
    def reset_password(self, request: Request, **kwargs) -> Response:
        """Answer, to an admin, a token that lets the user set a new password once."""
        user = self._managed()
        check_another(self.actor, user)
        return Response({"reset_password_token": passwords.create_reset_token(user)})

    @extend_schema(
        parameters=[OpenApiParameter("token", str, required=True)],
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=True, permission_classes=[AllowAny], filterset_class=None)
    def verify_token(self, request: Request, **kwargs) -> Response:
        """Say whether a reset token still allows a new password."""
        self._user_of_reset_token(request.query_params.get("token", ""))
        return Response({})

    @extend_schema(request=PasswordWithTokenSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], permission_classes=[AllowAny])
    def set_password(self, request: Request, **kwargs) -> Response:
        """Set a new password by a reset token; tokens and sessions end."""
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
        # The same answer for an unknown user: user names are nobody's business.
        if user is None or not passwords.is_reset_token_valid(user, secret):
            raise refused
        return user


def _name_is_taken(error: DjangoValidationError) -> bool:
    return any(problem.code == "unique" for problem in error.error_dict.get("username", []))

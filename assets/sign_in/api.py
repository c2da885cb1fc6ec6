"""Signing in by a password for a token, and people who await approval. Contract 1.2, 1.3."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import (
    APIException,
    NotFound,
    PermissionDenied,
    ValidationError,
)
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from ..common.db.lookups import OrderKey
from ..organizations.models import ApiToken
from ..organizations.registration import create_token, forget_expired_tokens
from ..organizations.rules import may_manage_users, second_factor_required
from ..organizations.serializers import (
    CredentialsSerializer,
    ImplicitTokenSerializer,
    NewImplicitTokenSerializer,
    UserSerializer,
)
from .filters import AwaitingFilterSet
from .models import ExternalIdentity
from .queries import awaiting
from .registration import approve, refuse
from .serializers import ApprovalSerializer, AwaitingSerializer

# Who is meant, where the path does not say so.
NAMED = OpenApiParameter("username", str, required=True)


class ImplicitLoginDisabled(APIException):
    status_code = 403

    def __init__(self) -> None:
        detail = "Implicit login is disabled on this server"
        super().__init__({"detail": detail, "substra_identifier": "implicit_login_disabled"})


class SignInView(APIView):
    """Signs in with a user name and a password; answers with a token."""

    # A client that renews its token may still send the old one: it is not looked at.
    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    @extend_schema(
        request=CredentialsSerializer, responses={200: NewImplicitTokenSerializer}, auth=[]
    )
    def post(self, request: Request, **kwargs) -> Response:
        if not settings.PASSWORD_LOGIN_FOR_API:
            raise ImplicitLoginDisabled
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = self._user_of(request, credentials.validated_data)
        forget_expired_tokens(user)
        expires_at = timezone.now() + settings.TOKEN_LIFETIME
        token, secret = create_token(user, expires_at=expires_at, kind=ApiToken.Kind.IMPLICIT)
        user_logged_in.send(type(user), request=request._request, user=user)
        return Response({**ImplicitTokenSerializer(token).data, "token": secret})

    def _user_of(self, request: Request, credentials: Any) -> Any:
        user: Any = authenticate(request._request, **credentials)
        if user is None:
            message = "Unable to log in with provided credentials."
            raise ValidationError({"non_field_errors": [message]})
        if user.second_factor_at is not None or second_factor_required(user):
            message = (
                "A password alone does not sign this user in. Sign in on the dashboard, make a "
                "token under Account, and use that instead."
            )
            raise ValidationError({"non_field_errors": [message]})
        return user


class AwaitingViewSet(ListModelMixin, GenericViewSet):
    """People whom the provider of sign-in knows, and who are no users yet; admins decide."""

    serializer_class = AwaitingSerializer
    ordering_fields = {"username": OrderKey("username")}
    default_ordering = (OrderKey("username").asc(),)
    filterset_class = AwaitingFilterSet

    def get_queryset(self) -> QuerySet[ExternalIdentity]:
        actor: Any = self.request.user
        # The schema is drawn for nobody in particular.
        return awaiting(actor) if actor.is_authenticated else ExternalIdentity.objects.none()

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if not may_manage_users(request.user, request.user.organization_id):
            raise PermissionDenied("Only an admin of your organisation lets people in.")

    def get_object(self) -> ExternalIdentity:
        name = self.kwargs.get("username") or self.request.query_params.get("username", "")
        if not name:
            raise ValidationError({"username": ["Name who is meant: ?username=..."]})
        found = [] if "\0" in name else list(self.get_queryset().filter(username=name)[:2])
        if not found:
            raise NotFound("Not found.")
        if len(found) > 1:
            raise ValidationError(
                {"username": ["Several people with this name wait: decide on the dashboard."]}
            )
        return found[0]

    @extend_schema(request=ApprovalSerializer, responses={200: UserSerializer})
    def update(self, request: Request, *args, **kwargs) -> Response:
        """Let somebody in, as a user of the admin's organisation."""
        identity = self.get_object()
        body = ApprovalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor: Any = request.user
        try:
            user = approve(
                identity,
                actor,
                username=identity.username,
                organization=actor.organization,
                role=body.validated_data["role"],
            )
        except DjangoValidationError as error:
            raise ValidationError(as_serializer_error(error)) from error
        user.is_external = True  # type: ignore[attr-defined]
        return Response(UserSerializer(user).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args, **kwargs) -> Response:
        """Refuse somebody, who may ask again by signing in."""
        refuse(self.get_object(), request.user)
        return Response(status=204)

    @extend_schema(
        operation_id="users_awaiting_approval_update_named",
        parameters=[NAMED],
        request=ApprovalSerializer,
        responses={200: UserSerializer},
        filters=False,
    )
    def update_named(self, request: Request, *args, **kwargs) -> Response:
        """Let in the person that `username` names, as a user of the admin's organisation."""
        return self.update(request, *args, **kwargs)

    @extend_schema(
        operation_id="users_awaiting_approval_destroy_named",
        parameters=[NAMED],
        responses={204: None},
        filters=False,
    )
    def destroy_named(self, request: Request, *args, **kwargs) -> Response:
        """Refuse the person that `username` names, who may ask again by signing in."""
        return self.destroy(request, *args, **kwargs)

"""People who await approval. Contract 1.3."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.viewsets import GenericViewSet

from ...common.db.lookups import OrderKey
from ..filters import AwaitingFilterSet
from ..models import ExternalIdentity
from ..queries import awaiting_approval
from ..registration.identities import approve, refuse
from ..rules import may_manage_users
from ..serializers import ApprovalSerializer, AwaitingSerializer, UserSerializer

# The person's name, where the path does not have it.
NAMED = OpenApiParameter("username", str, required=True)


class AwaitingViewSet(ListModelMixin, GenericViewSet):
    """People who signed in with the provider and await an admin's approval."""

    serializer_class = AwaitingSerializer
    ordering_fields = {"username": OrderKey("username")}
    default_ordering = (OrderKey("username").asc(),)
    filterset_class = AwaitingFilterSet

    def get_queryset(self) -> QuerySet[ExternalIdentity]:
        actor: Any = self.request.user
        # The schema is generated without a user.
        return (
            awaiting_approval(actor) if actor.is_authenticated else ExternalIdentity.objects.none()
        )

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if not may_manage_users(request.user, request.user.organization_id):
            raise PermissionDenied("Only an admin of your organisation approves people.")

    def get_object(self) -> ExternalIdentity:
        name = self.kwargs.get("username") or self.request.query_params.get("username", "")
        if not name:
            raise ValidationError({"username": ["Name the person: ?username=..."]})
        found = [] if "\0" in name else list(self.get_queryset().filter(username=name)[:2])
        if not found:
            raise NotFound("Not found.")
        if len(found) > 1:
            raise ValidationError(
                {"username": ["Several people have this name. Approve them on the dashboard."]}
            )
        return found[0]

    @extend_schema(request=ApprovalSerializer, responses={200: UserSerializer})
    def update(self, request: Request, *args, **kwargs) -> Response:
        """Approve a person as a user of the admin's organisation."""
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
        """Refuse a person, who can sign in again to await approval."""
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
        """Approve the person that `username` names as a user of the admin's organisation."""
        return self.update(request, *args, **kwargs)

    @extend_schema(
        operation_id="users_awaiting_approval_destroy_named",
        parameters=[NAMED],
        responses={204: None},
        filters=False,
    )
    def destroy_named(self, request: Request, *args, **kwargs) -> Response:
        """Refuse the person that `username` names, who can sign in again to await approval."""
        return self.destroy(request, *args, **kwargs)

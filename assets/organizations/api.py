"""Tokens, organisations and `/info/`. Contract 1.2, 2.1, 2.2."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..common.errors import Code, refuse
from ..common.idempotency.api import repeatable
from ..common.parsing import as_key
from .models import ApiToken, Organization
from .pages import confirmed_lately
from .registration import create_token, delete_token
from .serializers import (
    WIRE_ROLES,
    ActiveTokensSerializer,
    DetailSerializer,
    ImplicitTokenSerializer,
    InfoSerializer,
    NewTokenSerializer,
    OrganizationSerializer,
    TokenSerializer,
)


def _made_already(view: APIView, keys: Sequence[str]) -> Response:
    raise refuse(
        Code.CONFLICT,
        "This token was made already, and its secret was answered that once. Lost it? Revoke the "
        "token, and make another with a new Idempotency-Key.",
        key=keys[0],
    )


class NewTokenView(APIView):
    """Makes a named token for the user."""

    @extend_schema(request=TokenSerializer, responses={200: NewTokenSerializer})
    @repeatable(_made_already)
    def post(self, request: Request, **kwargs) -> Response:
        if request.auth is None and not confirmed_lately(request._request):
            page = request.build_absolute_uri(reverse("account-confirm"))
            raise PermissionDenied(
                f"You signed in a while ago. Confirm your password at {page}, then try again."
            )
        wanted = TokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        expires_at = wanted.validated_data["expires_at"]
        user: Any = request.user
        note = wanted.validated_data.get("note") or ""
        token, secret = create_token(user, expires_at=expires_at, note=note)
        return Response({**TokenSerializer(token).data, "token": secret})


class ActiveTokensView(APIView):
    """Lists the user's tokens that are still valid; revokes one."""

    @extend_schema(responses={200: ActiveTokensSerializer})
    def get(self, request: Request, **kwargs) -> Response:
        tokens = list(self._tokens(request).filter(expires_at__gt=timezone.now()))
        named = [token for token in tokens if token.kind == ApiToken.Kind.NAMED]
        implicit = [token for token in tokens if token.kind == ApiToken.Kind.IMPLICIT]
        return Response(
            {
                "tokens": TokenSerializer(named, many=True).data,
                "implicit_tokens": ImplicitTokenSerializer(implicit, many=True).data,
            }
        )

    @extend_schema(
        parameters=[OpenApiParameter("id", OpenApiTypes.UUID, required=True)],
        responses={200: DetailSerializer},
    )
    def delete(self, request: Request, **kwargs) -> Response:
        key = as_key(request.query_params.get("id"))
        token = self._tokens(request).filter(pk=key).first() if key else None
        if token is None:
            raise NotFound("Token not found")
        delete_token(token, token.user)
        return Response({"detail": "Token removed"})

    def _tokens(self, request: Request) -> QuerySet[ApiToken]:
        user: Any = request.user
        return ApiToken.objects.filter(user=user)


class OrganizationsView(ListAPIView):
    """Lists the organisations of the consortium: a bare array, which is what the SDK reads."""

    queryset = Organization.objects.order_by("id")
    serializer_class = OrganizationSerializer
    pagination_class = None
    filter_backends: list[type] = []

    def get_serializer_context(self) -> dict[str, Any]:
        address = self.request.build_absolute_uri("/").rstrip("/")
        return {**super().get_serializer_context(), "address": address}


class InfoView(APIView):
    """Says where one is and, to those who are signed in, as whom."""

    permission_classes = [AllowAny]

    @extend_schema(responses={200: InfoSerializer})
    def get(self, request: Request, **kwargs) -> Response:
        user: Any = request.user
        organization = getattr(user, "organization", None)
        info: dict[str, Any] = {
            "host": request.build_absolute_uri("/").rstrip("/"),
            "organization_id": organization.id if organization else "",
            "organization_name": (organization.name or organization.id) if organization else "",
            "config": {},
            "auth": self._auth(request),
        }
        if organization:
            info |= {
                "config": {"model_export_enabled": settings.MODEL_EXPORT_ENABLED},
                "channel": settings.CHANNEL,
                "version": settings.SUBSTRA_BACKEND_VERSION,
                "orchestrator_version": settings.SUBSTRA_ORCHESTRATOR_VERSION,
                "user": user.username,
                "user_role": WIRE_ROLES[user.role],
            }
        return Response(info)

    def _auth(self, request: Request) -> dict[str, Any]:
        """Say how one signs in other than by a password."""
        if not settings.OIDC_ISSUER:
            return {}
        login_url = request.build_absolute_uri(reverse("sign-in-oidc"))
        return {"oidc": {"name": settings.OIDC_NAME, "login_url": login_url}}

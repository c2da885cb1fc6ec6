"""Lists the organisations; `/info/`. Contract 2.1, 2.2."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..models import Organization
from ..serializers import WIRE_ROLES, InfoSerializer, OrganizationSerializer


class OrganizationsView(ListAPIView):
    """Lists the organisations of the consortium, as the array that the SDK expects."""

    queryset = Organization.objects.order_by("id")
    serializer_class = OrganizationSerializer
    pagination_class = None
    filter_backends: list[type] = []

    def get_serializer_context(self) -> dict[str, Any]:
        address = self.request.build_absolute_uri("/").rstrip("/")
        return {**super().get_serializer_context(), "address": address}


class InfoView(APIView):
    """Describes the server and, if the request is authenticated, its user."""

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
        """Return how to sign in other than with a password."""
        if not settings.OIDC_ISSUER:
            return {}
        login_url = request.build_absolute_uri(reverse("sign-in-oidc"))
        return {"oidc": {"name": settings.OIDC_NAME, "login_url": login_url}}

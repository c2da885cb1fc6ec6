"""Creates, lists and revokes API tokens. Contract 1.2."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ...common.errors import Code, refuse
from ...common.idempotency.api import idempotent
from ...common.parsing import as_key
from ..confirmation import is_password_confirmed
from ..models import ApiToken
from ..registration.tokens import create_token, delete_token
from ..serializers import (
    ActiveTokensSerializer,
    DetailSerializer,
    ImplicitTokenSerializer,
    NewTokenSerializer,
    TokenSerializer,
)


def _refuse_repeat(view: APIView, keys: Sequence[str]) -> Response:
    raise refuse(
        Code.CONFLICT,
        "This token was already created, and its secret is answered once only. If you lost it, "
        "revoke the token and create another with a new Idempotency-Key.",
        key=keys[0],
    )


class NewTokenView(APIView):
    """Creates a named token for the user."""

    @extend_schema(request=TokenSerializer, responses={200: NewTokenSerializer})
    @idempotent(_refuse_repeat)
    def post(self, request: Request, **kwargs) -> Response:
        if request.auth is None and not is_password_confirmed(request._request):
            page = request.build_absolute_uri(reverse("account-confirm"))
            raise PermissionDenied(
                f"You signed in a while ago. Confirm your password at {page}, then try again."
            )
        body = TokenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values: Any = body.validated_data
        user: Any = request.user
        note = values.get("note") or ""
        token, secret = create_token(user, expires_at=values["expires_at"], note=note)
        return Response({**TokenSerializer(token).data, "token": secret})


class ActiveTokensView(APIView):
    """Lists the user's valid tokens, and revokes one."""

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

"""Signs in with a user name and a password, and answers with a token. Contract 1.2."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..models import ApiToken
from ..registration.tokens import create_token, delete_expired_tokens
from ..rules import second_factor_required
from ..serializers import CredentialsSerializer, ImplicitTokenSerializer, NewImplicitTokenSerializer


class ImplicitLoginDisabled(APIException):
    status_code = 403

    def __init__(self) -> None:
        detail = "Implicit login is disabled on this server"
        super().__init__({"detail": detail, "substra_identifier": "implicit_login_disabled"})


class SignInView(APIView):
    """Signs in with a user name and a password; returns a token."""

    # A client that renews its token may still send the old one, which is ignored.
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
        delete_expired_tokens(user)
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
                "This user needs a second factor to sign in. Sign in on the dashboard, create a "
                "token under Account, and use that instead."
            )
            raise ValidationError({"non_field_errors": [message]})
        return user

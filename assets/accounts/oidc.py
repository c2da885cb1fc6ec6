"""Signing in with an OpenID Connect provider.

Authlib does the protocol: the provider's metadata, state, nonce, PKCE, and the ID token's signature
and claims.
"""

import logging
from functools import cache
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError
from requests import RequestException

# Signatures that only the provider can make: neither shared secrets nor unsigned tokens.
SIGNATURES = [f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)]
SIGNATURES.append("EdDSA")
TIMEOUT = 10  # seconds
LEEWAY = 60  # seconds by which clocks may differ


class ProviderError(Exception):
    """The provider cannot be reached, or its answer is not valid."""


@cache
def _client(issuer: str, client_id: str, client_secret: str, scope: str) -> Any:
    return OAuth().register(
        "oidc",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": scope, "code_challenge_method": "S256", "default_timeout": TIMEOUT},
    )


def _provider() -> Any:
    """Return the client of the provider; each process reads the provider's metadata once."""
    client = _client(
        settings.OIDC_ISSUER,
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        settings.OIDC_SCOPES,
    )
    found = client.load_server_metadata()
    if found.get("issuer") != settings.OIDC_ISSUER:
        _client.cache_clear()
        raise ProviderError(f"the provider calls itself {found.get('issuer')!r}")
    signatures = found.get("id_token_signing_alg_values_supported", ["RS256"])
    found["id_token_signing_alg_values_supported"] = [
        name for name in signatures if name in SIGNATURES
    ]
    return client


# Raised for the invalid answers of a provider, or of a server that claims to be it.
PROVIDER_ERRORS = (AuthlibBaseError, JoseError, RequestException, KeyError, TypeError, ValueError)


def begin(request: HttpRequest, return_url: str) -> HttpResponse:
    """Return the redirect to the provider.

    Raises:
        ProviderError: the provider cannot be reached.
    """
    try:
        return _provider().authorize_redirect(request, return_url)
    except PROVIDER_ERRORS as error:
        raise ProviderError(str(error)) from error


def read_claims(request: HttpRequest) -> dict[str, Any]:
    """Return the verified claims about the person that the provider sent back.

    The ID token's issuer, audience, times, nonce and signature are checked, and that this browser
    began the sign-in here.

    Raises:
        ProviderError: any of them is wrong, or the person declined.
    """
    options = {
        "iss": {"essential": True, "value": settings.OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        "sub": {"essential": True},
    }
    try:
        client = _provider()
        token = client.authorize_access_token(request, claims_options=options, leeway=LEEWAY)
        claims = dict(token["userinfo"])
        wanted = {"preferred_username", "email", settings.OIDC_ORGANIZATION_CLAIM} - {""}
        if wanted - set(claims) and "userinfo_endpoint" in client.server_metadata:
            more = client.userinfo(token=token)
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        return claims
    except PROVIDER_ERRORS as error:
        raise ProviderError(str(error) or type(error).__name__) from error


def log(error: ProviderError) -> None:
    """Log the error for the operator; the person sees less."""
    logging.getLogger(__name__).warning("Signing in by OpenID Connect failed: %s", error)

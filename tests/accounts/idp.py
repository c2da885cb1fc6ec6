"""A small provider of OpenID Connect: a process of its own, which does wrong what tests ask for.

It describes itself, redirects back with a code, and gives an ID token for the code once, to a
client that knows its secret and the PKCE verifier. `PUT /next` sets which claims the next person
has and what is wrong about it; run it to print its port.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "registrar", "a-secret-of-two"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
STRANGERS_KEY = RSAKey.generate_key(2048, {"kid": "one"})
SIGNATURES = ["RS256", "HS256", "none"]


def unpadded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def parts_of(*parts: dict[str, Any]) -> str:
    return ".".join(unpadded(json.dumps(part).encode()) for part in parts)


class Provider(BaseHTTPRequestHandler):
    """Answers the five addresses that signing in needs."""

    codes: dict[str, dict[str, Any]] = {}
    then: dict[str, Any] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self) -> None:
        Provider.then = json.loads(self.body())
        self.answer({})

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        asked = {name: values[0] for name, values in query.items()}
        if path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "userinfo_endpoint": f"{self.issuer}/userinfo",
                    "jwks_uri": f"{self.issuer}/keys",
                    "id_token_signing_alg_values_supported": SIGNATURES,
                }
            )
        elif path == "/keys":
            self.answer({"keys": [KEY.as_dict(private=False)]})
        elif path == "/userinfo":
            self.answer(self.then.get("userinfo", {}))
        elif path == "/authorize":
            self.authorize(asked)
        else:
            self.answer({}, 404)

    def authorize(self, asked: dict[str, str]) -> None:
        complete = (
            asked["client_id"] == CLIENT_ID
            and asked["response_type"] == "code"
            and "openid" in asked["scope"].split()
            and asked["code_challenge_method"] == "S256"
            and asked["nonce"]
        )
        if not complete:
            self.answer({"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe()
        self.codes[code] = {**asked, "then": self.then}
        back = {"code": code, "state": asked["state"]}
        if self.then.get("fault") == "declined":
            back = {"error": "access_denied", "state": asked["state"]}
        self.answer({}, 302, Location=f"{asked['redirect_uri']}?{urlencode(back)}")

    def do_POST(self) -> None:
        sent = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
        began = self.codes.pop(sent.get("code", ""), None)
        basic = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
        name, _, secret = basic.decode().partition(":")
        known = (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)
        challenge = unpadded(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            began is None
            or not known
            or challenge != began["code_challenge"]
            or sent["redirect_uri"] != began["redirect_uri"]
        ):
            self.answer({"error": "invalid_grant"}, 400)
            return
        token = self.id_token(began)
        self.answer({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def id_token(self, began: dict[str, Any]) -> str:
        now, fault = int(time.time()), began["then"].get("fault")
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": began["nonce"],
            **began["then"].get("claims", {}),
        }
        claims |= {
            "nonce": {"nonce": "another"},
            "audience": {"aud": "somebody-else"},
            "audience with azp": {"aud": ["somebody-else"], "azp": CLIENT_ID},
            "issuer": {"iss": "https://elsewhere.example"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }.get(fault, {})
        for name in {"no expiry": ["exp"], "no subject": ["sub"], "no nonce": ["nonce"]}.get(
            fault, []
        ):
            del claims[name]
        if fault == "alg none":
            return f"{parts_of({'alg': 'none'}, claims)}."
        if fault == "alg hmac":
            # The public key, which everybody knows, as a shared secret.
            signed = parts_of({"alg": "HS256", "kid": "one"}, claims)
            made = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{unpadded(made)}"
        key = STRANGERS_KEY if fault == "signature" else KEY
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)

    def log_message(self, *args: Any) -> None:
        pass


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()

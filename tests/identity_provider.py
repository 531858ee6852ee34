"""A real OpenID Connect provider for tests: authorization code with PKCE, everybody is signed in there already.

What it says can be altered, so that a test sees what becomes of a provider that is wrong, or of somebody between.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.serving import serving

CLIENT_ID, CLIENT_SECRET = "console client", "s:cret/%"
GOOD_S = 300


@dataclass
class Asked:
    """An authorization request that was granted."""

    query: dict[str, str]
    used: bool = False


@dataclass
class IdentityProvider:
    """``person``: claims of whoever comes; ``in_token``: those that the ID token has beside ``sub``.

    ``claims``, ``answer``, ``metadata`` replace what the ID token, the way back and the discovery say; None leaves out.
    """

    now_s: float
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "name": "Ada", "groups": ["ops"]})
    in_token: frozenset[str] = frozenset({"name", "groups"})
    claims: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True))
    signed_with: Any = None
    """Another key than the one that it shows."""
    algorithm: str = "ES256"
    codes: dict[str, Asked] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Paths, in their order."""

    async def discovery(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=t",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "scopes_supported": ["openid", "profile", "groups"],
            "authorization_response_iss_parameter_supported": True,
        }
        return web.json_response(_altered(said, self.metadata))

    async def jwks(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def authorize(self, request: web.Request) -> web.Response:
        query, code = dict(request.query), secrets.token_urlsafe(12)
        assert (query["response_type"], query["code_challenge_method"], query["tenant"]) == ("code", "S256", "t")
        assert query["client_id"] == CLIENT_ID
        self.codes[code] = Asked(query)
        back = _altered({"code": code, "state": query["state"], "iss": self.issuer}, self.answer)
        return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        form = await request.post()
        asked = self.codes.get(str(form["code"]))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        known = [unquote(one) for one in pair.split(":")] == [CLIENT_ID, CLIENT_SECRET]
        if asked is None or asked.used or not known or form["redirect_uri"] != asked.query["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if challenge.decode().rstrip("=") != asked.query["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        asked.used = True
        return web.json_response(
            {"access_token": "at-1", "token_type": "Bearer", "id_token": self.id_token(asked.query["nonce"])}
        )

    def id_token(self, nonce: str) -> str:
        told = {name: value for name, value in self.person.items() if name in self.in_token or name == "sub"}
        made = {"iss": self.issuer, "aud": CLIENT_ID, "iat": int(self.now_s), "exp": int(self.now_s) + GOOD_S}
        claims = _altered(made | {"nonce": nonce} | told, self.claims)
        key = self.signed_with or self.key
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key, algorithms=[self.algorithm])

    async def about(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        assert request.headers["Authorization"] == "Bearer at-1"
        return web.json_response(_altered(self.person, self.userinfo))


def _altered(said: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (said | changes).items() if value is not None}


@asynccontextmanager
async def providing(now_s: float) -> AsyncIterator[IdentityProvider]:
    """``now_s``: the time that its tokens are made at."""
    provider, app = IdentityProvider(now_s), web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.discovery)
    app.router.add_get("/jwks", provider.jwks)
    app.router.add_get("/authorize", provider.authorize)
    app.router.add_post("/token", provider.token)
    app.router.add_get("/userinfo", provider.about)
    async with serving(app) as port:
        provider.issuer = f"http://127.0.0.1:{port}"
        yield provider

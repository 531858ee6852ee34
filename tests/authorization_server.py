"""A real authorization server for tests, built with authlib: client credentials by every client method."""

from __future__ import annotations

import secrets
import ssl
import warnings
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from authlib.oauth2.rfc6749 import AuthorizationServer as AuthlibServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import SecurityWarning

from tests.serving import serving

ASSERTION_ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]


@dataclass(slots=True)
class Client(ClientMixin):  # type: ignore[misc]
    """A registered client: ``secret`` for the two secret methods, ``public_key`` (joserfc) for private_key_jwt.

    ``certificate`` is the common name or the DER bytes that a client certificate must have (RFC 8705 §2).
    """

    client_id: str
    method: str
    secret: str = ""
    public_key: Any = None
    certificate: str | bytes = ""
    scope: str = ""

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == self.method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        allowed = self.scope.split()
        return " ".join(one for one in (scope or "").split() if one in allowed)


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(
        self, method: str, headers: dict[str, str], form: dict[str, str], shown: tuple[str | bytes, ...] = ()
    ) -> None:
        super().__init__(method, "https://authorization.example/token", headers=headers)
        self.shown = shown
        self.payload = BasicOAuth2Payload(form)
        self._form = form

    @property
    def form(self) -> dict[str, str]:
        return self._form


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = (
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    )


def _by_certificate(query_client: Any, request: _Request) -> Client | None:
    client: Client | None = query_client(request.form.get("client_id", ""))
    return client if client is not None and client.certificate in request.shown else None


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__()
        self._server = server

    def get_audiences(self) -> list[str]:
        return [self._server.issuer or self._server.token_url]

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        fresh = jti not in self._server.used_jtis
        self._server.used_jtis.add(jti)
        return fresh

    def resolve_client_public_key(self, client: Client) -> Any:
        return client.public_key

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            token = jwt.decode(assertion, resolve_key, algorithms=self._server.algorithms)
        self.verify_claims(token.claims)
        self._server.assertions.append({"header": token.header, "claims": token.claims})
        return token.claims


class _Core(AuthlibServer):  # type: ignore[misc]
    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__()
        self._server = server
        opaque = BearerTokenGenerator(
            lambda **_: secrets.token_urlsafe(24), expires_generator=lambda *_: server.expires_in
        )
        self.register_token_generator("default", opaque)
        self.register_client_auth_method("private_key_jwt", _Assertion(server))
        self.register_client_auth_method("tls_client_auth", _by_certificate)
        self.register_client_auth_method("self_signed_tls_client_auth", _by_certificate)
        self.register_grant(_Grant)

    def query_client(self, client_id: str) -> Client | None:
        return self._server.clients.get(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        self._server.granted.append({**token, "client_id": request.client.get_client_id()})

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(
        self, status: int, body: Any, headers: list[tuple[str, str]]
    ) -> tuple[int, Any, dict[str, str]]:
        return status, body, dict(headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(slots=True)
class AuthorizationServer:
    """``register`` clients, ``start``, then look at ``granted``, ``forms`` and ``assertions``."""

    expires_in: int = 3600
    issuer: str = ""
    """The only audience of assertions that it takes; empty = its token URL (FAPI 2 wants the issuer)."""
    tls: ssl.SSLContext | None = None
    clients: dict[str, Client] = field(default_factory=dict)
    granted: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    used_jtis: set[str] = field(default_factory=set)
    algorithms: list[str] = field(default_factory=lambda: ASSERTION_ALGORITHMS)
    port: int = 0
    _serving: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def token_url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/token"

    def register(self, client: Client) -> None:
        self.clients[client.client_id] = client

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/token", self._token)
        self.port = await self._serving.enter_async_context(serving(app, tls=self.tls))

    async def stop(self) -> None:
        await self._serving.aclose()

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        self.headers.append(dict(request.headers))
        asked = _Request("POST", dict(request.headers), form, _shown(request))
        status, body, headers = _Core(self).create_token_response(asked)
        headers.pop("Content-Type", None)
        return web.json_response(body, status=status, headers=headers)


def _shown(request: web.Request) -> tuple[str | bytes, ...]:
    """The client certificate of the connection: its common name and its DER bytes."""
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    if connection is None:
        return ()
    subject = (connection.getpeercert() or {}).get("subject", ())
    names = [value for part in subject for kind, value in part if kind == "commonName"]
    return (*names, connection.getpeercert(binary_form=True)) if names else ()

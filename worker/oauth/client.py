"""The OAuth2 client: one client-credentials request (RFC 6749 §4.4) and its outcome. Never caches.

Callers want ``token_source``: it puts the cache and single flight of ``worker.oauth.source`` around ``TokenClient``.
authlib says what is sent, the guarded session sends it.
"""

from __future__ import annotations

import base64
import errno
import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote

import aiohttp
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.errors import JoseError, SecurityWarning

from dispatcher.clock import Clock
from dispatcher.model.integration import AuthMethod, OutboundCredentials
from dispatcher.policy.secrets.assertion_key import AssertionKey, KeyUnreadable, read_assertion_key
from dispatcher.store.secrets.tokens import AccessToken, TokenStore
from worker.http.connector import ConnectionLapsed, blocked_reason
from worker.http.tls import TransportUnusable
from worker.http.transport import Route
from worker.http.transport_sessions import TransportSessions
from worker.http.words import blocked_text, described
from worker.oauth.answer import (
    CONFIGURATION_ERROR,
    DEFAULT_LIFETIME_S,
    INVALID_RESPONSE,
    TRANSPORT_ERROR,
    TokenAnswer,
    read_token,
)
from worker.oauth.source import TokenSource
from worker.oauth.values import Token, TokenFailure, fingerprint

__all__ = ["Token", "TokenClient", "TokenFailure", "TokenSource", "fingerprint", "token_source"]

REQUEST_TIMEOUT_S = 10.0
ASSERTION_LIFETIME_S = 300
_MASK = "******"
NOBODY_ASKED_S = 5.0
NOBODY_ASKED = "the token endpoint was not asked: its vendor's share of lookups or threads is used up for the moment"
KEPT_IN_BASIC = "!*'()~-._"
"""Left as they are in id and secret; form decoding (RFC 6749 §2.3.1) gives back the same either way."""


def token_source(
    sessions: TransportSessions,
    store: TokenStore,
    clock: Clock,
    *,
    on_fetch: Callable[[bool], None] | None = None,
) -> TokenSource:
    """Tokens over ``sessions``, shared through ``store``. ``on_fetch`` hears of each request: did it give a token?"""
    return TokenSource(TokenClient(sessions, clock, on_fetch).fetch, store, clock)


class TokenClient:
    """Asks a token endpoint. Every way in which that can fail is a ``TokenFailure``."""

    def __init__(
        self, sessions: TransportSessions, clock: Clock, on_fetch: Callable[[bool], None] | None = None
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._on_fetch = on_fetch

    async def fetch(self, credentials: OutboundCredentials, route: Route | None = None) -> AccessToken | TokenFailure:
        """One request of at most 10 s over ``route``, for credentials whose secrets are open."""
        try:
            outcome = await self._ask(credentials, route)
        except (aiohttp.ClientError, OSError, ValueError, JoseError) as error:
            outcome = failure_of(error)
        if isinstance(outcome, TokenFailure):
            outcome = replace(outcome, detail=_scrubbed(outcome.detail, credentials))
        if self._on_fetch is not None:
            self._on_fetch(isinstance(outcome, AccessToken))
        return outcome

    async def _ask(self, credentials: OutboundCredentials, route: Route | None) -> AccessToken | TokenFailure:
        try:
            return await self._ask_once(credentials, route)
        except ConnectionLapsed as lapsed:  # built anew: an assertion is used once
            return await self._ask_once(credentials, route, lapsed.left_s, fresh=True)

    async def _ask_once(
        self,
        credentials: OutboundCredentials,
        route: Route | None,
        timeout_s: float = REQUEST_TIMEOUT_S,
        *,
        fresh: bool = False,
    ) -> AccessToken | TokenFailure:
        asked_at_s = self._clock()
        url, headers, body = prepare(credentials, asked_at_s)
        answer = await self._sessions.post(route, url, body, headers, timeout_s=timeout_s, fresh=fresh)
        return read_token(
            TokenAnswer(answer.status, answer.headers, answer.body, asked_at_s),
            unnamed_lifetime_s=credentials.token_lifetime_s or DEFAULT_LIFETIME_S,
            any_type=credentials.ignore_token_type,
        )


def prepare(credentials: OutboundCredentials, now_s: float) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and form of the request. ``KeyUnreadable`` or ``JoseError`` for a key that cannot sign."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    form = prepare_token_request(
        credentials.grant_type,
        scope=credentials.scope,
        audience=credentials.audience,
        resource=credentials.resource,
    )
    auth = _CLIENT_AUTH[credentials.auth_method](credentials, now_s)
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; the authorization servers there are know the old name.
        warnings.simplefilter("ignore", SecurityWarning)
        url, headers, form = auth.prepare("POST", credentials.token_uri, headers, form)
    return url, headers, form.encode()


def _basic(credentials: OutboundCredentials, _: float) -> ClientAuth:
    client_id = quote(credentials.client_id, safe=KEPT_IN_BASIC)
    return ClientAuth(client_id, quote(credentials.client_secret, safe=KEPT_IN_BASIC), "client_secret_basic")


def _form(credentials: OutboundCredentials, _: float) -> ClientAuth:
    return ClientAuth(credentials.client_id, credentials.client_secret, "client_secret_post")


def _assertion(credentials: OutboundCredentials, now_s: float) -> ClientAuth:
    """RFC 7523 §2.2. A new object each time: authlib keeps the ``jti`` that it made in the claims it was given."""
    signer = _signer(credentials.private_key, credentials.assertion_algorithm)
    key_id = credentials.key_id or signer.key_id
    method = PrivateKeyJWT(
        credentials.assertion_audience or credentials.token_uri,
        claims={"iat": int(now_s), "exp": int(now_s) + ASSERTION_LIFETIME_S},
        headers={"kid": key_id} if key_id else {},
        alg=signer.algorithm,
    )
    return ClientAuth(credentials.client_id, signer.key, method)


@lru_cache(maxsize=256)
def _signer(private_key: str, rsa_algorithm: str | None) -> AssertionKey:
    """Checking the primes of an RSA key takes up to 200 ms, and keys change seldom."""
    return read_assertion_key(private_key, rsa_algorithm)


def _certificate(credentials: OutboundCredentials, _: float) -> ClientAuth:
    """RFC 8705 §2: the connection proves who allot, the form only names it."""
    return ClientAuth(credentials.client_id, "", "none")


_CLIENT_AUTH: dict[AuthMethod, Callable[[OutboundCredentials, float], ClientAuth]] = {
    AuthMethod.CLIENT_SECRET_BASIC: _basic,
    AuthMethod.CLIENT_SECRET_POST: _form,
    AuthMethod.PRIVATE_KEY_JWT: _assertion,
    AuthMethod.TLS_CLIENT_AUTH: _certificate,
    AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH: _certificate,
}


_EXPLAINED: tuple[tuple[type[BaseException], str, str], ...] = (
    (TransportUnusable, CONFIGURATION_ERROR, "{error}"),
    (KeyUnreadable, CONFIGURATION_ERROR, "the private key cannot be read: {error}"),
    (JoseError, CONFIGURATION_ERROR, "the private key cannot sign: use another key or leave out its alg"),
    (ssl.SSLError, TRANSPORT_ERROR, "token endpoint's TLS handshake failed: check its certificate and host name"),
    (aiohttp.ClientSSLError, TRANSPORT_ERROR, "token endpoint's TLS handshake failed: check its certificate"),
    (TimeoutError, TRANSPORT_ERROR, "token endpoint gave no answer in time: check that it is up"),
    (aiohttp.ClientConnectorDNSError, TRANSPORT_ERROR, "token endpoint's host name does not resolve: check tokenUri"),
    (
        aiohttp.ClientConnectorError,
        TRANSPORT_ERROR,
        "token endpoint cannot be connected to: check that it is up",
    ),
    (
        aiohttp.ClientResponseError,
        INVALID_RESPONSE,
        "token endpoint's answer is not HTTP, {error.message}: check tokenUri",
    ),
    (aiohttp.ClientError, TRANSPORT_ERROR, "token endpoint broke off the connection: see its log"),
    (OSError, TRANSPORT_ERROR, "token endpoint cannot be connected to: check that it is up"),
    (ValueError, CONFIGURATION_ERROR, "the token request cannot be built: check tokenUri and credentials"),
)
"""The first type that fits; its text never holds an address or a secret."""


def failure_of(error: BaseException) -> TokenFailure:
    """In words that hold neither an address nor a secret."""
    if getattr(error, "errno", None) == errno.EAGAIN:
        return TokenFailure(TRANSPORT_ERROR, NOBODY_ASKED, retry_after_s=NOBODY_ASKED_S, remembered=True)
    reason = blocked_reason(error)
    if reason is not None:
        text = f"tokenUri is not allowed ({reason}): use another, or let the operator allow its network"
        return TokenFailure(CONFIGURATION_ERROR, blocked_text(reason) if "proxy" in reason else text)
    if words := described(error):
        return TokenFailure(TRANSPORT_ERROR, f"token endpoint: {words[0]}. {words[1]}")
    code, text = next((code, text) for kind, code, text in _EXPLAINED if isinstance(error, kind))
    return TokenFailure(code, text.format(error=error))


def _scrubbed(detail: str, credentials: OutboundCredentials) -> str:
    """An endpoint may repeat what it was sent."""
    if credentials.client_secret:
        quoted = quote(credentials.client_secret, safe=KEPT_IN_BASIC)
        for secret in (_pair(credentials.client_id, quoted), credentials.client_secret, quoted):
            detail = detail.replace(secret, _MASK)
    return detail


def _pair(client_id: str, quoted_secret: str) -> str:
    """Credentials in the form of ``client_secret_basic``, without the word Basic."""
    return base64.b64encode(f"{quote(client_id, safe=KEPT_IN_BASIC)}:{quoted_secret}".encode()).decode()

"""JWT access tokens (RFC 9068): how they are made and how they are read. Never asks who the client is now."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dispatcher.api.oauth.keys import ALGORITHM
from dispatcher.api.oauth.narrowing import Narrowed
from dispatcher.api.oauth.registered import RegisteredClient
from dispatcher.clock import Clock

LIFETIME_S = 600
_TYPE = "at+jwt"
_MAX_CHARS = 8192


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The content of a valid token. ``stamp`` names the secret that it was given for."""

    client_id: str
    scopes: frozenset[str]
    jti: str
    issued_s: int
    expires_s: int
    stamp: str
    narrowed: Narrowed | None = None


class AccessTokenMaker(JWTBearerTokenGenerator):  # type: ignore[misc]
    """authlib's generator with a ``kid``, our clock and our audience."""

    def __init__(self, issuer: str, keys: KeySet, clock: Clock) -> None:
        super().__init__(issuer, alg=ALGORITHM, expires_generator=lambda client, grant_type: LIFETIME_S)
        self._keys = keys
        self._clock = clock

    def access_token_generator(self, client: RegisteredClient, grant_type: str, user: object, scope: str) -> str:
        now_s = int(self._clock())
        key = self._keys.keys[0]
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": client.get_client_id(),
            "client_id": client.get_client_id(),
            "iat": now_s,
            "exp": now_s + LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
            **client.claims(),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": _TYPE, "kid": key.kid}, claims, key, [ALGORITHM])


class TokenReader:
    """Verifies signature, type, issuer, audience and time."""

    def __init__(self, issuer: str, keys: KeySet) -> None:
        self._issuer = issuer
        self._keys = keys

    def read(self, text: str, now_s: float) -> AccessToken | None:
        """The token's content; None for every kind of token that is not good now."""
        if len(text) > _MAX_CHARS:
            return None
        try:
            token = jwt.decode(text, self._keys, [ALGORITHM])
            return self._checked(token.header, token.claims, now_s)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def _checked(self, header: dict[str, Any], claims: dict[str, Any], now_s: float) -> AccessToken | None:
        audience = claims["aud"]
        ours = self._issuer in audience if isinstance(audience, list) else audience == self._issuer
        if header.get("typ") != _TYPE or not header.get("kid") or claims["iss"] != self._issuer or not ours:
            return None
        token = AccessToken(
            client_id=str(claims["client_id"]),
            scopes=frozenset(str(claims.get("scope") or "").split()),
            jti=str(claims["jti"]),
            issued_s=int(claims["iat"]),
            expires_s=int(claims["exp"]),
            stamp=str(claims["stamp"]),
            narrowed=_narrowed_in(claims),
        )
        return token if now_s < token.expires_s else None


def _narrowed_in(claims: dict[str, Any]) -> Narrowed | None:
    """Only a token that was narrowed names a marketplace."""
    if "marketplace_id" not in claims:
        return None
    return Narrowed(str(claims["account_id"]), int(claims["marketplace_id"]))

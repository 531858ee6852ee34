"""Gives access tokens for the client-credentials grant (RFC 6749 §4.4) and knows them again. In memory only."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import unquote_plus

from dispatcher.clock import Seconds

TOKEN_LIFETIME_S = 3600
_NO_STORE = {"Cache-Control": "no-store"}


class TokenDesk:
    """One client, any number of tokens."""

    def __init__(self, client_id: str, client_secret: str, clock: Seconds) -> None:
        self._client = (client_id, client_secret)
        self._clock = clock
        self._expiries: dict[str, float] = {}
        self.issued = 0

    def answer(self, authorization: str, form: Mapping[str, str]) -> tuple[int, dict[str, str | int], dict[str, str]]:
        """Status, JSON and headers for one token request."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}, _NO_STORE
        if not self._knows(_presented(authorization, form)):
            return 401, {"error": "invalid_client"}, _NO_STORE | {"WWW-Authenticate": 'Basic realm="sample host"'}
        token = secrets.token_urlsafe(24)
        self._expiries[token] = self._clock() + TOKEN_LIFETIME_S
        self.issued += 1
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S}, _NO_STORE

    def accepts(self, authorization: str) -> bool:
        """True for a header with a token of ours that has not expired."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._clock() < self._expiries.get(token, 0.0)

    def _knows(self, presented: tuple[str, str]) -> bool:
        return all(compare_digest(a.encode(), b.encode()) for a, b in zip(presented, self._client, strict=True))


def _presented(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret from the Basic header, else from the form (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(client_secret)

"""Outcomes of a request for a token, and the names of tokens. Values only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson

from dispatcher.model.integration import OutboundCredentials


@dataclass(frozen=True, slots=True)
class Token:
    """``fetched``: this caller caused a request to the token endpoint."""

    value: str
    expires_at_s: float
    fetched: bool


@dataclass(frozen=True, slots=True)
class TokenFailure:
    """No token, hence no POST. ``code`` is one of the product's error codes; ``detail`` says what to do next."""

    code: str
    detail: str
    retry_after_s: float | None = None
    remembered: bool = False
    """Nobody was asked: an earlier answer still counts, for ``retry_after_s`` more seconds."""


def fingerprint(credentials: OutboundCredentials, scope: str) -> str:
    """Names the token that these opened credentials get, 32 hex digits; any change of them names another.

    ``scope`` keeps tenants apart.
    """
    parts = (
        scope,
        credentials.token_uri,
        credentials.client_id,
        credentials.auth_method.value,
        credentials.grant_type,
        sorted((credentials.scope or "").split()),
        credentials.audience,
        credentials.resource,
        credentials.key_id,
        credentials.client_secret,
        credentials.private_key,
        credentials.assertion_audience,
        credentials.assertion_algorithm,
        credentials.ignore_token_type,
    )
    return hashlib.blake2b(orjson.dumps(parts), digest_size=16).hexdigest()

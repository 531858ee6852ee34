"""Reads whose authorization it was from an ID token (OpenID Connect Core §2). Pure.

It came from the token endpoint itself, so its signature need not be checked (§3.1.3.7, 6). It admits nobody: its
subject is compared with the one of the next authorization, no more.
"""

from __future__ import annotations

import base64
import binascii

import orjson

MAX_CHARS = 255
"""Of a subject (§2), and of an issuer here."""


def subject_of(token: object, client_id: str) -> tuple[str, str] | None:
    """Issuer and subject; None where nothing readable is said, or it is said to another client."""
    claims = _claims(token) if isinstance(token, str) else None
    if claims is None:
        return None
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    issuer, subject = _name(claims.get("iss")), _name(claims.get("sub"))
    return (issuer, subject) if issuer and subject and client_id in meant else None


def _claims(token: str) -> dict[str, object] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        read = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return read if isinstance(read, dict) else None


def _name(value: object) -> str | None:
    usable = isinstance(value, str) and 0 < len(value) <= MAX_CHARS and value.isprintable()
    return value if usable and isinstance(value, str) else None

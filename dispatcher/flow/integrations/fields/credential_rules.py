"""Rules that join several fields of an integration's credentials. Pure: lists problems, contacts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dispatcher.errors import Problem
from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials
from dispatcher.policy.texts import has_blank_ends, has_inner_control_characters, too_long

MAX_SECRET_CHARS = 4096


def credential_problems(credentials: OutboundCredentials) -> Iterator[Problem]:
    """Everything for which these credentials can never work; their token endpoint is not contacted."""
    for needed in _needed(credentials):
        yield Problem("required", f"{credentials.type} credentials need {needed}.", f"outboundCredentials.{needed}")
    if credentials.type is CredentialType.BASIC and ":" in credentials.client_id:
        text = "A user name for Basic has no colon (RFC 7617 §2)."
        yield Problem("invalid_text", text, "outboundCredentials.clientId")


def client_secret_problem(text: str, field: str) -> Problem | None:
    if has_inner_control_characters(text):
        rule = "A secret holds no control characters (RFC 6749 A.2, RFC 7617 §2): give it again without them."
        return Problem("invalid_text", rule, field)
    return too_long(field, MAX_SECRET_CHARS) if len(text) > MAX_SECRET_CHARS else None


def blank_ends(changes: Mapping[str, Any]) -> Iterator[str]:
    """Warnings of credentials, as they are given, that were copied with what stood around them."""
    given = changes.get("outboundCredentials") or {}
    for name in ("clientId", "clientSecret"):
        if has_blank_ends(given.get(name) or ""):
            yield f"outboundCredentials.{name} begins or ends with a blank or line end, which is kept: leave it out."


def _needed(credentials: OutboundCredentials) -> Iterator[str]:
    """Names of the fields that are missing."""
    if credentials.type is CredentialType.NONE:
        return
    if not credentials.client_id:
        yield "clientId"
    if credentials.type is CredentialType.OAUTH2 and not credentials.token_uri:
        yield "tokenUri"
    method = credentials.auth_method if credentials.type is CredentialType.OAUTH2 else None
    if method is AuthMethod.PRIVATE_KEY_JWT:
        if not credentials.private_key:
            yield "privateKey"
    elif not (method and method.by_certificate) and not credentials.client_secret:
        yield "clientSecret"

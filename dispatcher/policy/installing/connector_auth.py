"""The way a connector's AuthValue is sent, and the texts that can be one. Pure."""

from __future__ import annotations

import base64
import binascii
import re

from dispatcher.model.connector import ConnectorAuth

MAX_CHARS = 8192
API_KEY_HEADER = "X-Api-Key"

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""The part that may follow ``Basic`` and ``Bearer`` (RFC 9110 §11.2)."""
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")

_SCHEMES = {ConnectorAuth.BASIC: "Basic", ConnectorAuth.OAUTH: "Bearer", ConnectorAuth.OAUTH2: "Bearer"}


def kind_of(value: str, template: ConnectorAuth | None, given: ConnectorAuth | None) -> ConnectorAuth:
    """The template's, else the given one, else inferred: base64 of text with a colon is Basic, anything else a key."""
    return template or given or (ConnectorAuth.BASIC if _is_pair(value) else ConnectorAuth.API_KEY)


def auth_header(kind: ConnectorAuth, value: str) -> tuple[str, str] | None:
    """Name and value of the one header that authorizes; None = the kind sends none."""
    if kind is ConnectorAuth.API_KEY:
        return API_KEY_HEADER, value
    scheme = _SCHEMES.get(kind)
    return ("Authorization", f"{scheme} {value}") if scheme else None


def auth_value_refusal(kind: ConnectorAuth, value: str) -> str | None:
    """The reason why no header can carry the value, or None."""
    if len(value) > MAX_CHARS:
        return f"Give at most {MAX_CHARS} characters."
    if kind is ConnectorAuth.BASIC and not _is_pair(value):
        return "Basic takes the base64 of user name, colon and password."
    if kind in _SCHEMES and not _TOKEN68.fullmatch(value):
        return "A token has letters, digits and -._~+/= only."
    if not _VISIBLE.fullmatch(value):
        return "Give printable ASCII characters without blanks at either end."
    return None


def _is_pair(value: str) -> bool:
    try:
        return ":" in base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return False

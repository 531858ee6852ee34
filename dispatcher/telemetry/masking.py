"""Makes one log record safe to print: no credentials, no control characters. Never drops a field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from dispatcher.policy.secrets.redaction import MASK, scrub

MAX_VALUE_BYTES = 16 * 1024
MAX_DEPTH = 6

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "authorization",
        "client_assertion",
        "client_secret",
        "clientsecret",
        "cookie",
        "password",
        "proxy_authorization",
        "refresh_token",
        "secret",
        "set_cookie",
        "signingsecret",
        "token",
        "webhook_signature",
    }
)
"""Names, lower case with ``_`` for ``-``, whose whole value is masked."""

_URL_PASSWORD = re.compile(r"(?P<keep>[a-z][a-z0-9+.-]{1,30}://[^\s/:@]{0,256}:)[^\s/@]{1,1024}(?=@)", re.IGNORECASE)
_HEADER = re.compile(
    r"""(?P<keep>\b(?:authorization|(?:set-)?cookie)\b["']?\s{0,4}[:=,]\s{0,4})
    (?:b?"[^"\r\n]{0,8192}"? | b?'[^'\r\n]{0,8192}'? | [^\r\n]{1,8192})""",
    re.IGNORECASE | re.VERBOSE,
)
_CAMEL_CASE = re.compile(
    r"""(?P<keep>(?:clientSecret|signingSecret|accessToken|refreshToken)["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"'&,;<>}]{1,8192}"""
)
_PLAIN = re.compile(r"(?!whs|eyJ)[A-Za-z0-9.-][A-Za-z0-9._-]{0,40}|")
"""Ids, words and numbers, which most values are: too short for a token, and without the marks of a credential."""
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{6,}+(?P<rest>\.[A-Za-z0-9_-]{2,}+\.[A-Za-z0-9_-]*+)?")
"""Texts that begin like one are taken whole, so that no sign is looked at from many beginnings."""

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def safe_record(record: Mapping[str, object]) -> dict[str, Plain]:
    """``record`` with every name and value, at any depth, safe to print."""
    return {_safe_name(name): _safe_field(name, value, 0) for name, value in record.items()}


def safe_text(text: str) -> str:
    """One line, without credentials."""
    if _PLAIN.fullmatch(text):
        return text
    return scrub(_without_credentials(text), limit_bytes=MAX_VALUE_BYTES)


def safe_lines(text: str) -> list[str]:
    """For a traceback on a terminal: its lines, each of them safe."""
    masked = _without_credentials(text)
    return [scrub(line, limit_bytes=MAX_VALUE_BYTES) for line in re.split(r"\r?\n", masked)]


def _without_credentials(text: str) -> str:
    if "://" in text:
        text = _URL_PASSWORD.sub(_masked, text)
    lowered = text.lower()
    if "authorization" in lowered or "cookie" in lowered:
        text = _HEADER.sub(_masked, text)
    if "Secret" in text or "Token" in text:
        text = _CAMEL_CASE.sub(_masked, text)
    return _JWT.sub(_masked_jwt, text) if "eyJ" in text else text


def _masked_jwt(match: re.Match[str]) -> str:
    return MASK if match["rest"] else match[0]


def _masked(match: re.Match[str]) -> str:
    return match["keep"] + MASK


@lru_cache(maxsize=1024)
def _safe_name(name: str) -> str:
    return safe_text(name)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return name.lower().replace("-", "_") in SECRET_FIELDS


def _safe_field(name: str, value: object, depth: int) -> Plain:
    return MASK if value and _is_secret(name) else _safe_value(value, depth)


def _safe_value(value: object, depth: int) -> Plain:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, bytes):
        return safe_text(value.decode("utf-8", "replace"))
    return _safe_items(value, depth + 1) if depth < MAX_DEPTH else "…"


def _safe_items(value: object, depth: int) -> Plain:
    if isinstance(value, Mapping):
        return {_safe_name(str(name)): _safe_field(str(name), item, depth) for name, item in value.items()}
    if isinstance(value, tuple) and len(value) == 2:
        return [_safe_value(value[0], depth), _safe_field(str(value[0]), value[1], depth)]
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe_value(item, depth) for item in value]
    return safe_text(str(value))

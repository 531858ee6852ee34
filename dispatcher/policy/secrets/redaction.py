"""Makes foreign text safe to keep and show: secrets out, control characters escaped, at most 4 KiB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MAX_EXCERPT_BYTES = 4096
MASK = "******"

_ALIKE_CHARS = 256
_MIN_SECRET_CHARS = 4
"""A shorter secret would mask ordinary text; nothing this short is a secret."""
_HINTS = ("bearer", "basic", "client_", "_token", "api_key", "api-key", "apikey", "passw", "whsec_", "whsk_")
"""Part of every match of ``_CREDENTIAL``: most answers do not have it, and are not searched."""

_SECRET_NAME = r"(?:client_secret|client_assertion|access_token|refresh_token|api[-_]?key|password|passwd)"  # noqa: S105 - names
_CREDENTIAL = re.compile(
    rf"""(?P<certain>
        \bauthorization["']?\s{{0,4}}[:=]\s{{0,4}}["']?(?:bearer|basic)\s{{1,4}}
      | \b{_SECRET_NAME}(?:["']\s{{0,4}}[=:]\s{{0,4}}["']? | \s{{0,4}}=\s{{0,4}}["']? | \s{{0,4}}:\s{{0,4}}["'])
      | \bapi[-_]?key\s{{0,4}}:\s{{0,4}}
    )
    [^\s"'&,;<>}}]{{1,8192}}
    | (?P<likely>\b(?:bearer|basic)\s{{1,4}} | \b{_SECRET_NAME}\s{{0,4}}:\s{{0,4}})
    (?P<value>[^\s"'&,;<>}}]{{1,8192}})
    | \bwhs(?:ec|k)_[A-Za-z0-9+/=_-]{{8,256}}""",
    re.IGNORECASE | re.VERBOSE,
)
"""Behind a name or in a header's place anything is a credential; elsewhere only what has the shape of one."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*[.!?:)\]]*")
_MIN_WORD_CASE_CHARS = 12

_INVISIBLE = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
_ESCAPES: dict[int, str] = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _INVISIBLE} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
}


def scrub(text: str | bytes, secrets: Iterable[str] = (), limit_bytes: int = MAX_EXCERPT_BYTES) -> str:
    """An excerpt of at most ``limit_bytes`` of UTF-8. Give the whole text: it is cut after secrets are out.

    No text holds a secret that is longer than itself, and no spelling of a secret is shorter than it. So the short
    answers that most hosts give are alike whatever the secrets are.
    """
    scrubbed = _scrubbed_once if len(text) <= _ALIKE_CHARS else _scrubbed
    return scrubbed(text, tuple([secret for secret in secrets if len(secret) <= len(text)]), limit_bytes)


def _scrubbed(text: str | bytes, secrets: tuple[str, ...], limit_bytes: int) -> str:
    spellings = _spellings(secrets)
    window = 2 * limit_bytes
    kept = text[:window]
    shown = kept.decode("utf-8", "replace") if isinstance(kept, bytes) else kept
    for spelling in spellings:
        shown = shown.replace(spelling, MASK)
    if spellings and len(text) > window:
        shown = shown[: -len(spellings[0])]  # the window may have cut a secret in two
    if _may_hold_credential(shown):
        shown = _CREDENTIAL.sub(_masked, shown)
    return cut(escape(shown), limit_bytes)


_scrubbed_once = lru_cache(maxsize=4096)(_scrubbed)
"""Hosts give the same few short answers again and again."""


def escape(text: str) -> str:
    """Control, line-separating and direction-changing characters as visible escapes."""
    return text if text.isascii() and text.isprintable() else text.translate(_ESCAPES)


def cut(text: str, limit_bytes: int) -> str:
    """The text itself, or its beginning and an ellipsis, within ``limit_bytes`` (at least 3) of UTF-8."""
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= limit_bytes:
        return encoded.decode()
    return encoded[: limit_bytes - 3].decode("utf-8", "ignore") + "…"


def _may_hold_credential(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)


def _masked(match: re.Match[str]) -> str:
    if match["likely"] and _is_word(match["value"]):
        return match[0]
    return (match["certain"] or match["likely"] or "") + MASK


def _is_word(value: str) -> bool:
    """True for a word of a sentence: letters, and if it is long, no capital but the first or all."""
    if not _WORD.fullmatch(value):
        return False
    letters = value[1:]
    return len(value) < _MIN_WORD_CASE_CHARS or letters == letters.lower() or value == value.upper()


@lru_cache(maxsize=4096)
def _spellings(secrets: tuple[str, ...]) -> list[str]:
    """Each secret as it is, as URLs and forms carry it, and as JSON does; longest first."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_CHARS:
            found.add(secret)
            if not (secret.isascii() and secret.isalnum()):
                found |= {quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return sorted(found, key=len, reverse=True)

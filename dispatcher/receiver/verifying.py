"""Checks a notification as Standard Webhooks demands. Never stores a key, and never looks into the body.

One HMAC for each secret and one comparison for each entry: what strangers send costs no more than what is genuine.
``dispatcher verify`` takes longer and says which part of a notification is wrong.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.policy.notification.signing import (
    PUBLIC_PREFIX,
    SEED_PREFIX,
    HmacKey,
    PublicKey,
    VerifyingKey,
    parse_verifying_key,
    signed_content,
)

TOLERANCE_S = 300
"""The tolerance of the reference libraries, both ways."""
MAX_ENTRIES = 16
MAX_ID_CHARS = 256

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Names in any case."""

_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


class NotGenuine(DispatcherError):
    """Not made with any of the keys for these bytes, or not now. Do nothing, and answer 401."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The signed part beside the body. ``id`` is the same for every attempt."""

    id: str
    timestamp_s: int


class Verifier:
    """``keys``: ``whsec_…`` secrets and ``whpk_…`` public keys, several of them during a rotation.

    Raises ``Unprocessable`` for a text that is neither, and ValueError without any.
    """

    def __init__(self, *keys: str, tolerance_s: float = TOLERANCE_S) -> None:
        self.tolerance_s = tolerance_s
        self._hmacs: tuple[HmacKey, ...] = ()
        self._publics: tuple[PublicKey, ...] = ()
        self.trust(*keys)

    def trust(self, *keys: str) -> None:
        """Take these keys from now on, and no others."""
        if not keys:
            raise ValueError("give at least one whsec_ secret or whpk_ public key")
        parsed = [_parsed(key) for key in keys]
        self._hmacs = tuple(key for key in parsed if isinstance(key, HmacKey))
        self._publics = tuple(key for key in parsed if isinstance(key, PublicKey))

    def verify(self, headers: Headers, body: bytes, now_s: float | None = None) -> Envelope:
        """Headers and raw body as they arrived. Raises ``NotGenuine``."""
        given = _read(headers)
        envelope = Envelope(_id(given["webhook-id"]), _timestamp(given["webhook-timestamp"]))
        self._check_age(envelope.timestamp_s, time.time() if now_s is None else now_s)
        content = signed_content(envelope.id, envelope.timestamp_s, body)
        if not self._signed(content, given["webhook-signature"].split(maxsplit=MAX_ENTRIES)[:MAX_ENTRIES]):
            raise NotGenuine("no entry of webhook-signature was made with a known key for these bytes")
        return envelope

    def _check_age(self, timestamp_s: int, now_s: float) -> None:
        off_s = now_s - timestamp_s
        if not abs(off_s) <= self.tolerance_s:
            side = "old" if off_s > 0 else "in the future"
            raise NotGenuine(f"webhook-timestamp is {abs(off_s):.0f} s {side}; allowed are {self.tolerance_s:.0f} s")

    def _signed(self, content: bytes, entries: list[str]) -> bool:
        texts = [entry.encode("utf-8", "surrogateescape") for entry in entries]
        for key in self._hmacs:
            expected = key.signature(content).encode()
            if any(hmac.compare_digest(expected, text) for text in texts):
                return True
        signatures = [raw for text in texts if (raw := _ed25519(text)) is not None] if self._publics else []
        return any(key.matches(content, raw) for key in self._publics for raw in signatures)


def published_keys(document: Mapping[str, Any]) -> tuple[str, ...]:
    """``whpk_`` texts of what ``/.well-known/webhook-keys/{integrationId}`` answers, for ``Verifier.trust``."""
    found = [one for one in document.get("keys", ()) if one.get("kty") == "OKP" and one.get("crv") == "Ed25519"]
    return tuple(PUBLIC_PREFIX + base64.b64encode(_base64url(str(one["x"]))).decode() for one in found)


def _parsed(text: str) -> VerifyingKey:
    if text.startswith(SEED_PREFIX):
        raise ValueError("a whsk_ seed stays with the one who signs; verify with its whpk_ public key")
    return parse_verifying_key(text)


def _read(headers: Headers) -> dict[str, str]:
    """The three headers. A name that comes twice is refused: somebody on the way may have read the other one."""
    found: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        lower = name.lower()
        if lower in _NAMES:
            if lower in found:
                raise NotGenuine(f"{lower} came twice")
            found[lower] = value
    absent = [name for name in _NAMES if not found.get(name)]
    if absent:
        raise NotGenuine(f"{absent[0]} is missing")
    return found


def _id(text: str) -> str:
    """A dot would move the bounds between id, timestamp and body, whose signature stays the same."""
    if len(text) > MAX_ID_CHARS or not (text.isascii() and text.isprintable()) or "." in text or " " in text:
        raise NotGenuine(f"webhook-id is not at most {MAX_ID_CHARS} visible ASCII characters without a dot")
    return text


def _timestamp(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12) or str(int(text)) != text:
        raise NotGenuine("webhook-timestamp is not whole seconds since 1970")
    return int(text)


def _ed25519(entry: bytes) -> bytes | None:
    """The signature of a ``v1a`` entry in the one way in which its base64 may be written, else None."""
    scheme, _, text = entry.partition(b",")
    if scheme != b"v1a":
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw) == text else None


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

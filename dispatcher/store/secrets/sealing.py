"""Secrets at rest: AES-256-GCM under a ring of keys. Never writes a key, and never opens a value in another context.

A sealed value reads ``v1.<kid>.<base64(nonce, 12 bytes + ciphertext)>``. The first key of the ring seals,
every key opens, and ``stale`` names what to seal again before an old key is dropped.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dispatcher.errors import ConfigurationError, DispatcherError

KEY_BYTES = 32
MIN_PASSPHRASE_CHARS = 16
_NONCE_BYTES = 12
_VERSION = "v1"
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_HOW = "make one with `dispatcher config --new-key`"


class SealError(DispatcherError):
    """A sealed value cannot be opened: unknown key, another context, or changed bytes."""


def new_key() -> str:
    """A fresh key for ``DISPATCHER_SECRET_KEYS``: 32 random bytes in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


class Sealer:
    """Seals with the first key, opens with any. ``context`` says whose field it is, e.g. ``integration:ID:secret``."""

    __slots__ = ("_current", "_ring")

    def __init__(self, keys: Sequence[str | bytes]) -> None:
        if not keys:
            raise ConfigurationError(f"DISPATCHER_SECRET_KEYS is empty; {_HOW}")
        raw = [_read_key(key, position) for position, key in enumerate(keys, start=1)]
        self._ring = {_key_id(key): AESGCM(key) for key in raw}
        self._current = _key_id(raw[0])

    def seal(self, text: str, context: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ring[self._current].encrypt(nonce, text.encode(), context.encode())
        return f"{_VERSION}.{self._current}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The text again. Raises ``SealError``; its message never holds the value."""
        key_id, blob = _split(sealed)
        key = self._ring.get(key_id)
        if key is None:
            raise SealError(
                f"sealed with key {key_id}, which is not in DISPATCHER_SECRET_KEYS; add that key again, restart, "
                "then run `dispatcher secrets reseal` before you drop it"
            )
        try:
            return key.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealError(
                f"not sealed for {context}, or changed since; restore it from a backup or enter the secret again"
            ) from None

    def stale(self, sealed: str) -> bool:
        """True when it is sealed with another key than the first, and should be sealed again."""
        return _split(sealed)[0] != self._current


def _split(sealed: str) -> tuple[str, bytes]:
    parts = sealed.split(".")
    if len(parts) == 3 and parts[0] == _VERSION:
        try:
            return parts[1], base64.b64decode(parts[2], validate=True)
        except (binascii.Error, ValueError):
            pass
    raise SealError("not a sealed value (v1.<key>.<base64>); enter the secret again")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"dispatcher key id\n" + key).hexdigest()[:8]


def _read_key(key: str | bytes, position: int) -> bytes:
    """32 bytes as they are, in base64 or in hex; a passphrase is stretched (RFC 7914), which takes some 50 ms."""
    if isinstance(key, bytes) and len(key) == KEY_BYTES:
        return key
    text = (key.decode("utf-8", "replace") if isinstance(key, bytes) else key).strip()
    for raw in (_decode(text), bytes.fromhex(text) if _HEX.fullmatch(text) else b""):
        if len(raw) == KEY_BYTES:
            return raw
    if len(text) >= MIN_PASSPHRASE_CHARS:
        return hashlib.scrypt(text.encode(), salt=b"dispatcher secret key", n=2**14, r=8, p=1, dklen=KEY_BYTES)
    raise ConfigurationError(
        f"key {position} of DISPATCHER_SECRET_KEYS is neither {KEY_BYTES} bytes in base64 or hex nor a passphrase of "
        f"{MIN_PASSPHRASE_CHARS} characters or more; {_HOW}"
    )


def _decode(text: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""

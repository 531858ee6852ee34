"""Standard Webhooks signatures: read and make secrets, sign. Never stores a secret and never reads a clock.

``v1`` is HMAC-SHA256 under a ``whsec_`` secret; ``v1a`` is ed25519 under a ``whsk_`` seed, whose public half
reads ``whpk_``. What is signed is ``id.timestamp.body``; the timestamp is that of the attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from binascii import b2a_base64
from collections.abc import Iterable
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from dispatcher.errors import Problem, Unprocessable

HMAC_PREFIX = "whsec_"
SEED_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64
ED25519_BYTES = 32


class HmacKey:
    """``v1``: signs and verifies with one shared secret of 24 to 64 bytes."""

    __slots__ = ("_keyed",)
    scheme: ClassVar[str] = "v1"

    def __init__(self, raw: bytes) -> None:
        self._keyed = HMAC(raw, SHA256())
        """Copied for each content: half of what beginning with the key takes."""

    def signature(self, content: bytes) -> str:
        return "v1," + b2a_base64(self._digest(content), newline=False).decode()

    def matches(self, content: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self._digest(content), signature)

    def _digest(self, content: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(content)
        return keyed.finalize()


class PublicKey:
    """``v1a``: verifies only."""

    __slots__ = ("_public", "raw")
    scheme: ClassVar[str] = "v1a"

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._public = Ed25519PublicKey.from_public_bytes(raw)

    def __str__(self) -> str:
        return PUBLIC_PREFIX + base64.b64encode(self.raw).decode()

    def matches(self, content: bytes, signature: bytes) -> bool:
        try:
            self._public.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def as_jwk(self) -> dict[str, str]:
        """RFC 8037 key for a JWKS; ``kid`` is its RFC 7638 thumbprint."""
        x = _base64url(self.raw)
        members = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
        kid = _base64url(hashlib.sha256(members.encode()).digest())
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}


class SeedKey:
    """``v1a``: signs with the ed25519 seed whose public half is ``public``."""

    __slots__ = ("_private", "public")
    scheme: ClassVar[str] = "v1a"

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    def signature(self, content: bytes) -> str:
        return "v1a," + b2a_base64(self._private.sign(content), newline=False).decode()

    def matches(self, content: bytes, signature: bytes) -> bool:
        return self.public.matches(content, signature)


SigningKey = HmacKey | SeedKey
VerifyingKey = HmacKey | SeedKey | PublicKey
DatedKey = tuple[SigningKey, int | None]
"""A key and the moment its overlap ends, in milliseconds; None = it has no end."""


def current_keys(keys: Iterable[DatedKey], now_ms: int) -> list[SigningKey]:
    """Those that sign at that moment, in the order given, ``v1`` before ``v1a``: some hosts read the first only."""
    current = [key for key, not_after_ms in keys if not_after_ms is None or not_after_ms > now_ms]
    return current if len(current) < 2 else sorted(current, key=_scheme)


def _scheme(key: SigningKey) -> str:
    return key.scheme


def signed_content(msg_id: str, timestamp_s: int, body: bytes) -> bytes:
    """``id.timestamp.body``. Ids must not hold a dot; event ids never do."""
    return b"%s.%d.%s" % (msg_id.encode(), timestamp_s, body)


def sign(keys: Iterable[SigningKey], msg_id: str, timestamp_s: int, body: bytes) -> str:
    """The ``webhook-signature`` value: one entry per key, in the order given."""
    content = signed_content(msg_id, timestamp_s, body)
    return " ".join([key.signature(content) for key in keys])


def generate_secret() -> str:
    """A fresh ``whsec_`` secret of 32 random bytes."""
    return HMAC_PREFIX + base64.b64encode(os.urandom(32)).decode()


def generate_seed() -> str:
    """A fresh ``whsk_`` ed25519 seed."""
    return SEED_PREFIX + base64.b64encode(os.urandom(ED25519_BYTES)).decode()


def parse_secret(text: str) -> SigningKey:
    """The key of a ``whsec_`` or ``whsk_`` text. Raises ``Unprocessable`` (``invalid_secret``)."""
    if text.startswith(SEED_PREFIX):
        return SeedKey(_decoded(text, SEED_PREFIX, ED25519_BYTES, ED25519_BYTES))
    return HmacKey(_decoded(text, HMAC_PREFIX, MIN_SECRET_BYTES, MAX_SECRET_BYTES))


def parse_verifying_key(text: str) -> VerifyingKey:
    """As ``parse_secret``, and ``whpk_`` public keys."""
    if text.startswith(PUBLIC_PREFIX):
        return PublicKey(_decoded(text, PUBLIC_PREFIX, ED25519_BYTES, ED25519_BYTES))
    return parse_secret(text)


def published_key(public_key: str) -> dict[str, str]:
    """The JWK of a ``whpk_`` text. Raises ``Unprocessable`` (``invalid_secret``)."""
    return PublicKey(_decoded(public_key, PUBLIC_PREFIX, ED25519_BYTES, ED25519_BYTES)).as_jwk()


def secret_problem(text: str, field: str | None = None) -> Problem | None:
    """The fault of a signing secret that somebody gave us, or None."""
    try:
        parse_secret(text)
    except Unprocessable as error:
        found = error.problems[0]
        return Problem(found.code, found.message, field)
    return None


def _decoded(text: str, prefix: str, least: int, most: int) -> bytes:
    size = f"{least}" if least == most else f"{least} to {most}"
    if text.startswith(prefix):
        try:
            raw = base64.b64decode(text[len(prefix) :], validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if least <= len(raw) <= most:
            return raw
    raise Unprocessable.of("invalid_secret", f"a secret is {prefix} followed by the base64 of {size} bytes")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""The ``Idempotency-Key`` header: one key, printable, of bounded length. Never remembers one."""

from __future__ import annotations

import hashlib

from multidict import MultiMapping

from dispatcher.errors import InvalidRequest

IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
"""On the answer to a repeat."""


def idempotency_key(headers: MultiMapping[str]) -> str | None:
    """The key, None = there is none; 400 for one that is empty, too long, unprintable or given twice."""
    keys = headers.getall(IDEMPOTENCY_KEY, ())
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidRequest.of("invalid_idempotency_key", "Give one key, in one header.", IDEMPOTENCY_KEY)
    key = keys[0]
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        text = "Give 1 to 255 printable ASCII characters, for example a UUID."
        raise InvalidRequest.of("invalid_idempotency_key", text, IDEMPOTENCY_KEY)
    return key


def body_hash(raw: bytes) -> str:
    """The hash that tells a repeat from another body under the same key."""
    return hashlib.sha256(raw).hexdigest()

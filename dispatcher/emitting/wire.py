"""An event as a Python mapping, checked as the body of ``POST /v1/events`` is. Reads nothing of the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatcher.api.rest.events.accepting.emissions import emission_of
from dispatcher.errors import InvalidRequest, Problem, RequestError
from dispatcher.flow.events.making.emit import Emission
from dispatcher.policy.strict_json import read_object


class Asked(NamedTuple):
    """``digest``: of its JSON, which tells a repeat from another event under the same key."""

    emission: Emission
    digest: str


def asked(event: Mapping[str, Any] | bytes, most_bytes: int) -> Asked:
    """Raises ``RequestError`` with the fields that are wrong: of what is no JSON, too deep, too large or unknown."""
    raw = event if isinstance(event, bytes) else _written(event)
    if len(raw) > most_bytes:
        raise RequestError([Problem("body_too_large", f"An event may have {most_bytes} bytes at most.")], 413)
    emission = emission_of(read_object(raw, exact=True))
    return Asked(emission, hashlib.sha256(raw).hexdigest())


def _written(event: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(dict(event), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest.of("invalid_json", f"not JSON: {error}") from None


def checked_key(key: object) -> str:
    """As an ``Idempotency-Key`` has to be; callers without type checks give anything."""
    if not isinstance(key, str) or not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        text = "Give 1 to 255 printable ASCII characters, for example a UUID."
        raise InvalidRequest.of("invalid_idempotency_key", text, "key")
    return key

"""What differs between two states of a record, fit for the audit log: no secret in clear, no text without end. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dispatcher.policy.redaction import scrub

MAX_TEXT_BYTES = 1024
MAX_LIST = 100
_ABSENT = object()

_SEALED = re.compile(r"v\d+\.[0-9a-f]{8}\.")
_SECRET_NAME = re.compile(r"secret|passw|passphrase|private|assertion|(?<!public)_key$|^value$|token$", re.IGNORECASE)
"""Names whose text is hashed; ``value`` is a custom header's, which may be a credential that nobody marked as such."""

Difference = tuple[dict[str, Any], dict[str, Any]]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Dotted path → value, before and after; what is equal is in neither. Lists are compared as a whole."""
    old, new = dict(_flat(before)), dict(_flat(after))
    changed = [path for path in {**old, **new} if old.get(path, _ABSENT) != new.get(path, _ABSENT)]
    return ({p: _safe(p, old[p]) for p in changed if p in old}, {p: _safe(p, new[p]) for p in changed if p in new})


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _safe(path: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _safe(name, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_safe(path, one) for one in value[:MAX_LIST]]
    if not isinstance(value, str):
        return value
    if value and (_SEALED.match(value) or _SECRET_NAME.search(path.rpartition(".")[2])):
        return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]
    return scrub(value, limit_bytes=MAX_TEXT_BYTES)

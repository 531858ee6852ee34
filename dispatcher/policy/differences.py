"""Differences between two states of a record, fit for the audit log: no secret in clear, no endless text. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from dispatcher.policy.secrets.redaction import scrub

MAX_TEXT_BYTES = 1024
MAX_LIST = 100
_ABSENT = object()

_SEALED = re.compile(r"v\d+\.[0-9a-f]{8}\.")
_SECRET_NAME = re.compile(r"secret|passw|passphrase|private|assertion|(?<!public)_key$|^value$|token$", re.IGNORECASE)
"""Names whose text is hashed; ``value`` is a custom header's, which may be a credential that nobody marked as such."""

HIDDEN = "changed"
"""In the place of a value that its owner calls a secret."""

Difference = tuple[dict[str, Any], dict[str, Any]]


def differences(before: Mapping[str, Any], after: Mapping[str, Any], hidden: Set[str] = frozenset()) -> Difference:
    """Dotted path → value, before and after; what is equal is in neither. Lists are compared as a whole.

    ``hidden``: paths, within lists too, of which not even a hash is shown.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    changed = [path for path in {**old, **new} if old.get(path, _ABSENT) != new.get(path, _ABSENT)]
    return (
        {path: _safe(path, old[path], hidden) for path in changed if path in old},
        {path: _safe(path, new[path], hidden) for path in changed if path in new},
    )


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _safe(path: str, value: Any, hidden: Set[str]) -> Any:
    if not hidden.isdisjoint(_with_parents(path)):
        return HIDDEN
    if isinstance(value, dict):
        return {name: _safe(f"{path}.{name}", one, hidden) for name, one in value.items()}
    if isinstance(value, list):
        return [_safe(path, one, hidden) for one in value[:MAX_LIST]]
    if not isinstance(value, str):
        return value
    if value and (_SEALED.match(value) or _SECRET_NAME.search(path.rpartition(".")[2])):
        return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]
    return scrub(value, limit_bytes=MAX_TEXT_BYTES)


def _with_parents(path: str) -> Iterator[str]:
    """``a.b.c``, ``a.b`` and ``a``: what is within a secret is one as well."""
    while path:
        yield path
        path = path.rpartition(".")[0]

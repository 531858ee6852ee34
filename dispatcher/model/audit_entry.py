"""Authors and their changes: one entry of the audit log, and how entries are chained. Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import orjson

DONE = "done"
"""Outcome of a change that is written in the same step as its entry."""
REQUESTED = "requested"
"""Outcome of a change whose entry is written before it; one that is refused then gets another entry, with the code."""

_HEAD = re.compile(r"[1-9][0-9]{0,14}:[0-9a-f]{64}")
_FIELDS = frozenset(
    {"n", "previous", "at", "client", "scopes", "address", "request", "action", "kind", "object", "before", "after"}
    | {"outcome"}
)


@dataclass(frozen=True, slots=True)
class Author:
    """An actor. ``address`` is where the request came from, ``request_id`` what its answer carries."""

    client_id: str
    scopes: tuple[str, ...] = ()
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A change of one object. ``before`` and ``after`` hold what differs, without any secret."""

    author: Author
    name: str
    kind: str
    object_id: str
    at_ms: int
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    outcome: str = REQUESTED


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of the chain: its number, from 1, and its SHA-256 in hexadecimal. 0 = there is none."""

    n: int = 0
    hash: str = ""

    def text(self) -> str:
        return f"{self.n}:{self.hash}" if self.n else ""

    @classmethod
    def of(cls, text: str) -> Head:
        """Raises ``ValueError`` for what no program of ours has written."""
        if text and not _HEAD.fullmatch(text):
            raise ValueError("no head of an audit log")
        n, _, digest = text.partition(":")
        return cls(int(n), digest) if text else cls()


@dataclass(frozen=True, slots=True)
class Entry:
    """One action at its place in the chain. ``text`` is what is stored and what the hash is taken of."""

    n: int
    previous: str
    text: bytes

    @property
    def head(self) -> Head:
        return Head(self.n, hashlib.sha256(self.text).hexdigest())

    @classmethod
    def following(cls, head: Head, action: Action) -> Entry:
        """The entry of ``action`` behind the one at ``head``."""
        record = {
            "n": head.n + 1,
            "previous": head.hash,
            "at": action.at_ms,
            "client": action.author.client_id,
            "scopes": list(action.author.scopes),
            "address": action.author.address,
            "request": action.author.request_id,
            "action": action.name,
            "kind": action.kind,
            "object": action.object_id,
            "before": action.before,
            "after": action.after,
            "outcome": action.outcome,
        }
        return cls(head.n + 1, head.hash, orjson.dumps(record, option=orjson.OPT_SORT_KEYS))

    @classmethod
    def read(cls, text: bytes) -> Entry:
        """Raises ``ValueError`` for what no program of ours has written."""
        record = orjson.loads(text)
        if not isinstance(record, dict) or not record.keys() >= _FIELDS or not isinstance(record["n"], int):
            raise ValueError("no audit entry")
        return cls(record["n"], str(record["previous"]), text)

    def action(self) -> Action:
        record = orjson.loads(self.text)
        author = Author(record["client"], tuple(record["scopes"]), record["address"], record["request"])
        return Action(
            author,
            name=record["action"],
            kind=record["kind"],
            object_id=record["object"],
            at_ms=record["at"],
            before=record["before"],
            after=record["after"],
            outcome=record["outcome"],
        )

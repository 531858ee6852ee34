"""An entry of the manifest: all that is known of a segment before it is opened, and the hashes that it must have."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

import orjson

from dispatcher.store.archive.format.archived import Position

_NAME = re.compile(r"[0-9a-f]{12}-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Entry:
    """``made``: least and greatest time in its ids. ``until_ms``: when the retention of its last event ends."""

    events: int
    first: Position
    last: Position
    made: tuple[int, int]
    until_ms: int
    size: int
    digest: str
    footer_at: int
    footer_digest: str
    replaces: str = ""
    """The segment in whose place it was written; empty = none."""

    def stored(self) -> bytes:
        return orjson.dumps(
            {
                "n": self.events,
                "first": str(self.first),
                "last": str(self.last),
                "made": self.made,
                "until": self.until_ms,
                "size": self.size,
                "sha256": self.digest,
                "footer": self.footer_at,
                "footer_sha256": self.footer_digest,
                "replaces": self.replaces,
            }
        )

    @classmethod
    def from_stored(cls, stored: bytes) -> Entry:
        said = orjson.loads(stored)
        return cls(
            events=said["n"],
            first=Position.of(said["first"]),
            last=Position.of(said["last"]),
            made=(said["made"][0], said["made"][1]),
            until_ms=said["until"],
            size=said["size"],
            digest=said["sha256"],
            footer_at=said["footer"],
            footer_digest=said["footer_sha256"],
            replaces=said["replaces"],
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that the manifest has."""

    partition: int
    name: str
    entry: Entry

    @property
    def key(self) -> str:
        return key_of(self.partition, self.name)


def new_name(entry: Entry) -> str:
    """A name that no other segment has or had: whoever deletes a file by its name deletes no later one."""
    return f"{entry.first.ms:012x}-{secrets.token_hex(8)}"


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def key_of(partition: int, name: str) -> str:
    """The place of a segment in its storage. Raises ``ValueError`` for what names none."""
    if not is_name(name):
        raise ValueError(f"not the name of a segment: {name!r}")
    return f"{partition}/{name}"

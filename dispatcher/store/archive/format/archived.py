"""An event as a segment keeps it: all that Redis kept of it, byte for byte, and its place in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import orjson


class Position(NamedTuple):
    """A place in the log of a partition."""

    ms: int
    sequence: int

    @classmethod
    def of(cls, stream_id: str) -> Position:
        ms, sequence = stream_id.split("-")
        return cls(int(ms), int(sequence))

    def __str__(self) -> str:
        return f"{self.ms}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class ArchivedEvent:
    """``fields``: the event's hash, whole. ``expires_ms``: the end of its retention."""

    id: str
    position: Position
    expires_ms: int
    fields: dict[str, bytes]

    @property
    def document(self) -> bytes:
        return self.fields["doc"]

    @property
    def state(self) -> bytes:
        return self.fields["state"]

    @property
    def attempts(self) -> dict[int, bytes]:
        """Records of attempts by their numbers, first one first."""
        numbers = sorted(int(name[1:]) for name in self.fields if name[:1] == "a" and name[1:].isdigit())
        return {number: self.fields[f"a{number}"] for number in numbers}

    def line(self) -> bytes:
        """One line of NDJSON. Raises ``ValueError`` for fields that are no text."""
        fields = {name: value.decode() for name, value in self.fields.items()}
        record = {"id": self.id, "log": str(self.position), "expires": self.expires_ms, "fields": fields}
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_line(cls, line: bytes) -> ArchivedEvent:
        record = orjson.loads(line)
        fields = {name: value.encode() for name, value in record["fields"].items()}
        return cls(record["id"], Position.of(record["log"]), record["expires"], fields)

"""The footer of a segment: what is filtered by, column by column, and where each block lies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import orjson

from dispatcher.model.event import Event, EventState
from dispatcher.store.archive.format.archived import ArchivedEvent, Position

DICTIONARIES = ("lanes", "accounts", "types", "statuses")


class Block(NamedTuple):
    """Some events that are compressed together."""

    at: int
    size: int
    events: int
    digest: str


@dataclass(frozen=True)
class Footer:
    """Row ``n`` of every column is of event ``n``, oldest in the log first; dictionary columns count into texts."""

    ids: list[str]
    ms: list[int]
    sequences: list[int]
    created_ms: list[int]
    expires_ms: list[int]
    texts: dict[str, list[str]]
    columns: dict[str, list[int]]
    blocks: list[Block]
    replaces: str = ""
    """The segment in whose place it was written; empty = none."""

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(block.events for block in self.blocks))

    def place(self, row: int) -> tuple[int, int]:
        """Number of its block, and its own within it."""
        for number, end in enumerate(self._ends):
            if row < end:
                return number, row - end + self.blocks[number].events
        raise IndexError(row)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Rows by the ids of their events."""
        return {event_id: row for row, event_id in enumerate(self.ids)}

    def position(self, row: int) -> Position:
        return Position(self.ms[row], self.sequences[row])

    def text(self, column: str, row: int) -> str:
        return self.texts[column][self.columns[column][row]]

    def stored(self) -> bytes:
        return orjson.dumps(
            {
                "ids": self.ids,
                "ms": self.ms,
                "seq": self.sequences,
                "created": self.created_ms,
                "expires": self.expires_ms,
                "texts": self.texts,
                "columns": self.columns,
                "blocks": [[*block] for block in self.blocks],
                "replaces": self.replaces,
            }
        )

    @classmethod
    def from_stored(cls, stored: bytes) -> Footer:
        said = orjson.loads(stored)
        blocks = [Block(*block) for block in said["blocks"]]
        times = said["ms"], said["seq"], said["created"], said["expires"]
        return cls(said["ids"], *times, said["texts"], said["columns"], blocks, said["replaces"])


def footer_of(events: Sequence[ArchivedEvent], blocks: list[Block], replaces: str) -> Footer:
    """Raises what reading a record raises that is damaged."""
    facts = [_facts(event) for event in events]
    texts, columns = {}, {}
    for number, name in enumerate(DICTIONARIES):
        texts[name], columns[name] = _dictionary(one[number] for one in facts)
    return Footer(
        [event.id for event in events],
        [event.position.ms for event in events],
        [event.position.sequence for event in events],
        [one[-1] for one in facts],
        [event.expires_ms for event in events],
        texts,
        columns,
        blocks,
        replaces,
    )


def _facts(archived: ArchivedEvent) -> tuple[Any, ...]:
    event = Event.from_stored(archived.id, archived.document)
    state = EventState.from_stored(archived.state)
    return event.integration_id, event.account_id or "", event.type.value, state.status.value, state.created_ms


def _dictionary(values: Iterable[str]) -> tuple[list[str], list[int]]:
    known: dict[str, int] = {}
    column = [known.setdefault(value, len(known)) for value in values]
    return list(known), column

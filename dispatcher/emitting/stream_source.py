"""A Redis stream as a source of events. An entry has the field ``event``, the JSON of a body of ``POST /v1/events``.

It may have ``key``, an idempotency key, where whoever adds entries may add one twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.emitting.intake import MOST, Given
from dispatcher.store.queue.acting.intake import Entry, IntakeStream

WAIT_MS = 1000
IDLE_MS = 60_000
"""Time after which an entry that another consumer has not acknowledged is taken over: that one is gone."""


class StreamSource:
    """Begins with what this consumer or one that is gone was handed before."""

    key_name = "key"

    def __init__(self, stream: IntakeStream, *, wait_ms: int = WAIT_MS, idle_ms: int = IDLE_MS) -> None:
        self.name = f"stream {stream.name}"
        self.key_space = f"stream\n{stream.name}\n"
        self._stream = stream
        self._wait_ms = wait_ms
        self._idle_ms = idle_ms
        self._prepared = False
        self._left = True
        self._entries: dict[str, Entry] = {}

    async def next(self) -> Sequence[Given]:
        if not self._prepared:
            await self._stream.prepare()
            self._prepared = True
        entries = await self._handed_out()
        self._entries = {one.id: one for one in entries}
        return [_given(one) for one in entries]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        await self._stream.acknowledge(ids)

    async def set_aside(self, of: str, reason: str) -> None:
        await self._stream.set_aside(self._entries[of], reason)

    async def aside(self) -> int:
        return await self._stream.aside()

    def again(self) -> None:
        """The stream, too, may have to be made again."""
        self._left, self._prepared = True, False

    async def _handed_out(self) -> list[Entry]:
        if self._left:
            entries = await self._stream.own(MOST) or await self._stream.adopt(MOST, self._idle_ms)
            self._left = bool(entries)
            return entries
        entries = await self._stream.new(MOST, self._wait_ms)
        self._left = not entries  # nothing to do: look for what a lost consumer has left
        return entries


def _given(entry: Entry) -> Given:
    if not entry.fields:
        return Given(entry.id, None, "")
    if b"event" not in entry.fields:
        return Given(entry.id, None, "", "missing_field (event): Add entries with a field of this name.")
    given = entry.fields.get(b"key")
    key = f"id:{entry.id}" if given is None else f"key:{given.decode(errors='replace')}"
    return Given(entry.id, entry.fields[b"event"], key)

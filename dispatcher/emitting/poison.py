"""Events that intake set aside: the place of them, and what can be done about it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from dispatcher.store.queue.acting.intake import Entry, IntakeStream


class Poison(NamedTuple):
    """``id``: its own; ``entry``: by which its source knew it."""

    id: str
    entry: str
    reason: str
    event: bytes


class PoisonPlace(Protocol):
    """``source``: whose entries they are."""

    source: str

    async def list(self, most: int) -> list[Poison]: ...

    async def put_back(self) -> int:
        """Hand out again what is there now, 1,000 at most, oldest first. Returns how many."""

    async def discard(self) -> int: ...

    async def count(self) -> int: ...


class StreamPoison:
    """The stream beside a stream of events."""

    def __init__(self, stream: IntakeStream) -> None:
        self.source = f"stream {stream.name}"
        self._stream = stream

    async def list(self, most: int) -> list[Poison]:
        """Newest first."""
        found = await self._stream.poisoned(most)
        return [_poison(one) for one in found]

    async def put_back(self) -> int:
        return await self._stream.put_back()

    async def discard(self) -> int:
        return await self._stream.discard()

    async def count(self) -> int:
        return await self._stream.aside()


def _poison(entry: Entry) -> Poison:
    of, reason, event = (entry.fields.get(name, b"") for name in (b"entry", b"reason", b"event"))
    return Poison(entry.id, of.decode(errors="replace"), reason.decode(errors="replace"), event)

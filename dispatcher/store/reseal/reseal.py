"""Seals again what is not sealed with the newest key, so that older keys can be dropped.

Goes through all places (``places``). Each record is compared with what was read before it is replaced, so edits made
meanwhile win and the record is taken up again; a run that broke off is simply begun anew. Never shows a secret.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from redis.asyncio import Redis

from dispatcher.errors import DispatcherError
from dispatcher.store.documents.swap import Document, publish, swap
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.reseal.places import sealed_places
from dispatcher.store.secrets.places import SealedPlace, SealedRecord
from dispatcher.store.secrets.sealing import Sealer, SealError

PAGE = 20
"""Owners of records that are looked at between two reports."""
TRIES = 16
MAX_PROBLEMS = 50


@dataclass(slots=True)
class Tally:
    """Counts of sealed values. ``stale``: still sealed with another key than the newest, when the run is over."""

    owners: dict[str, int] = field(default_factory=dict)
    """Kind → number of integrations, marketplaces, … that were found, in the order of the places."""
    seen: int = 0
    """Owners that were gone through."""
    values: int = 0
    resealed: int = 0
    stale: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    """Owner whose values cannot be sealed again → reason, at most 50."""

    @property
    def total(self) -> int:
        """Owners of all kinds."""
        return sum(self.owners.values())

    @property
    def well(self) -> bool:
        """True when every value could be opened."""
        return not self.problems


class Resealer:
    """One run. Without ``write`` nothing is changed, and ``stale`` counts what a run would seal again."""

    def __init__(self, redis: Redis, sealer: Sealer, *, write: bool = True) -> None:
        self._redis = redis
        self._sealer = sealer
        self._write = write
        self.tally = Tally()

    async def run(self) -> Tally:
        async for _ in self.pages():
            pass
        return self.tally

    async def pages(self) -> AsyncIterator[Tally]:
        """Work, and report after every ``PAGE`` owners how far it is."""
        found = [(place, await place.owners()) for place in sealed_places(self._redis)]
        self.tally.owners = {place.kind: len(owners) for place, owners in found}
        for place, owners in found:
            for first in range(0, len(owners), PAGE):
                await self._page(place, owners[first : first + PAGE])
                yield self.tally

    async def _page(self, place: SealedPlace, owners: Sequence[str]) -> None:
        async for record in place.records(owners):
            await self.renew(record)
        self.tally.seen += len(owners)

    async def renew(self, record: SealedRecord) -> None:
        """One record, read anew for as long as others change it."""
        current: bytes | None = record.stored
        for _ in range(TRIES):
            if current is None:
                return
            try:
                before = record.values(current)
                again = partial(self._again, record.owner)
                after = record.renew(current, again) if self._stale(before) else current
            except (DispatcherError, ValueError) as error:
                self._complain(record.owner, str(error))
                return
            if after == current or not self._write:
                self._count(before, 0)
                return
            if await self._replaced(record, current, after):
                self._count(left := record.values(after), self._stale(before) - self._stale(left))
                return
            current = await self._read(record)
        self._complain(record.owner, "it keeps changing: run this again")

    async def _replaced(self, record: SealedRecord, before: bytes, after: bytes) -> bool:
        changed = [publish(keys.DEFINITIONS_CHANNEL, record.announced)] if record.announced else []
        return await swap(self._redis, [Document(record.key, before, after, record.field)], changed)

    async def _read(self, record: SealedRecord) -> bytes | None:
        with guarded():
            if not record.field:
                return cast("bytes | None", await self._redis.get(record.key))
            return await cast("Awaitable[bytes | None]", self._redis.hget(record.key, record.field))

    def _again(self, owner: str, sealed: str, context: str) -> str:
        """Sealed with the newest key; as it is where it cannot be opened."""
        if not self._sealer.stale(sealed):
            return sealed
        try:
            return self._sealer.seal(self._sealer.open(sealed, context), context)
        except SealError as error:
            self._complain(owner, str(error))
            return sealed

    def _stale(self, values: list[str]) -> int:
        return sum(self._sealer.stale(one) for one in values)

    def _count(self, values: list[str], resealed: int) -> None:
        self.tally.values += len(values)
        self.tally.stale += self._stale(values)
        self.tally.resealed += resealed

    def _complain(self, owner: str, why: str) -> None:
        if len(self.tally.problems) < MAX_PROBLEMS:
            self.tally.problems.setdefault(owner, why)

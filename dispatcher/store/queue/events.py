"""The queue as its users see it: accept, find, act, watch.

One event is looked at in ``views/looking.py`` and changed in ``acting/changing.py``. The workers' side (own, claim,
settle) is ``owning/partition.py``. Every change is one script.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import cast

from dispatcher.model.event import Event, EventDocument
from dispatcher.model.queue import Accepted, Change, LaneView, QueueOverview
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.packing.documents import packed
from dispatcher.store.queue.acting.accepting import Form, accept_each, as_it_is
from dispatcher.store.queue.acting.changing import EventChanges
from dispatcher.store.queue.acting.lane_holds import LaneHolds
from dispatcher.store.queue.acting.reservations import Reservations
from dispatcher.store.queue.acting.type_pauses import TypePauses
from dispatcher.store.queue.search.finding import EventFinder
from dispatcher.store.queue.watching import overview
from dispatcher.store.queue.watching.feed import newest, read_changes
from dispatcher.store.queue.watching.following import ChangeFeed
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.durability import writing
from dispatcher.store.redis.scripts import Client


class QueueStore(EventFinder, EventChanges, LaneHolds, Reservations):
    """All partitions of one store. Raises ``StoreUnavailable`` when Redis did not answer."""

    def __init__(
        self,
        client: Client,
        *,
        partitions: int,
        retention_ms: int,
        min_replicas: int = 0,
        archive: Archive | None = None,
        pack: bool = True,
    ) -> None:
        super().__init__(client, partitions, archive)
        self._retention_ms = retention_ms
        self._form: Form = packed if pack else as_it_is
        self.type_pauses = TypePauses(client)
        self._write = writing(min_replicas)
        self.strict = min_replicas > 0
        """An event is accepted only once replicas have it, also when it is accepted again."""

    async def take_writes(self) -> None:
        """Raises ``StoreUnavailable`` when Redis answers but takes no writes: a replica, or one that lacks replicas.

        Deletes what is never there: a write that changes nothing, waits for no disk, and is taken at ``maxmemory``.
        """
        with guarded():
            await self._client.delete(deployment_keys.NEVER_THERE)

    async def accept(self, events: Sequence[Event]) -> list[Accepted]:
        """Write events and give each its place; one round trip however many there are. Raises the first that failed.

        Idempotent by id: repeating after ``StoreUnavailable`` never makes a second event.
        """
        receipts = await self.accept_each([event.document() for event in events])
        for receipt in receipts:
            if isinstance(receipt, Exception):
                raise receipt
        return cast("list[Accepted]", receipts)

    async def accept_each(self, documents: Sequence[EventDocument]) -> list[Accepted | Exception]:
        """As ``accept``, with the error in the place of an event whose partition did not take it."""
        return await accept_each(self._client, self._write, documents, self._form)

    async def overview(self, lanes_limit: int = 100) -> QueueOverview:
        """Everything counted at one moment; the ``lanes_limit`` lanes with most waiting work are listed."""
        with guarded():
            return await overview.overview(self._client, self._all(), lanes_limit)

    async def lane(self, integration_id: str) -> LaneView | None:
        """Waiting work of one integration; None = it has none, and nothing holds it back."""
        return (await self.lanes([integration_id])).get(integration_id)

    async def lanes(self, integration_ids: Iterable[str]) -> dict[str, LaneView]:
        """The same of several, each partition asked once."""
        wanted: defaultdict[int, list[str]] = defaultdict(list)
        for one in set(integration_ids):
            wanted[self.partition_of(one)].append(one)
        with guarded():
            return {view.integration_id: view for view in await overview.lanes(self._client, wanted)}

    async def counters(self) -> dict[str, int]:
        """Counters of all partitions since the store was made, added up."""
        with guarded():
            return await overview.counters(self._client, self._all())

    async def changes(self, after_id: str | None, limit: int = 500) -> list[Change]:
        """Status changes after ``after_id`` (None = all that are kept), oldest first."""
        with guarded():
            return await read_changes(self._client, self._all(), after_id, limit)

    def feed(self) -> ChangeFeed:
        """To follow changes with, for any number of followers."""
        return ChangeFeed(self._client, self._partitions)

    async def newest_change(self) -> str:
        """The id to pass to ``changes`` for what happens from now on."""
        with guarded():
            return await newest(self._client, self._all())

"""Finding events: by a filter, a page at a time or counted, and by the idempotency keys that they came with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.ids import partition_of_event
from dispatcher.model.event import Event
from dispatcher.model.queue import Count, EventFilter, Page
from dispatcher.model.term import Field
from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.search import filtered
from dispatcher.store.queue.search.account_order import AccountOrder, account_order
from dispatcher.store.queue.search.indexed import matching
from dispatcher.store.queue.search.listing import MAX_SEARCH_S, Portion
from dispatcher.store.queue.views.looking import EventLooks
from dispatcher.store.queue.watching.due_later import due_later
from dispatcher.store.redis.connection import guarded


class EventFinder(EventLooks):
    """All partitions of one store, and its archive. Raises ``StoreUnavailable`` when one of them did not answer."""

    async def page(
        self,
        condition: EventFilter,
        cursor: str | None,
        limit: int,
        *,
        complete: bool = True,
        payloads: bool = True,
        within_s: float = MAX_SEARCH_S,
    ) -> Page:
        """Newest first. Raises ``InvalidRequest`` (invalid_cursor) for a cursor that is not one of ours.

        ``complete``: also ``StoreUnavailable`` when a partition cannot be read; otherwise its events are left out.
        ``payloads``: with creators and payloads, which end a page early when they are large; without, both are None.
        ``within_s``: about the longest that it searches; then it ends early, and says how far it came.
        """
        partitions = self._partitions_of(condition)
        with guarded():
            return await filtered.read_page(
                self._client,
                partitions,
                condition,
                cursor,
                Portion(limit, complete, payloads, within_s),
                self.archive,
            )

    async def count(self, condition: EventFilter) -> Count:
        """The number of events that meet it: exact for failed or open ones; else of those that one page searches."""
        with guarded():
            return await filtered.count(self._client, self._partitions_of(condition), condition, self.archive)

    async def account_order(self, event: Event, *, delivered: int, waiting: int) -> AccountOrder | None:
        """The account's order that the event is part of; None = nothing orders it."""
        partition = self.partition_of(event.integration_id)
        return await account_order(self._client, partition, event, delivered=delivered, waiting=waiting)

    async def due_later(self, integration_ids: Sequence[str], from_ms: int, step_ms: int, steps: int) -> list[int]:
        """Accounts' next events of these integrations by when they are due: how many in each step."""
        lanes = [(self.partition_of(one), one) for one in integration_ids]
        return await due_later(self._client, lanes, from_ms, step_ms, steps)

    async def meeting(self, condition: EventFilter, event_ids: Sequence[str]) -> set[str]:
        """Those of some events that meet it now."""
        ours = [one for one in event_ids if partition_of_event(one, self._partitions) is not None]
        with guarded():
            return {row.event_id for row in await matching(self._client, ours, condition, complete=False)}

    async def events_of_keys(self, uses: Sequence[tuple[str, str]]) -> list[str]:
        """Ids of the events that were accepted with these keys, each of a client, within 24 hours."""
        if not uses:
            return []
        pipeline: Any = self._client.pipeline(transaction=False)
        for client_id, key in uses:
            pipeline.get(keys.idempotency(client_id, key))
        with guarded():
            found = await pipeline.execute()
        return list(dict.fromkeys(one.decode().split(" ", 1)[0] for one in found if one))

    def _partitions_of(self, condition: EventFilter) -> Sequence[int]:
        if condition.integration_id:
            return [self.partition_of(condition.integration_id)]
        for term in condition.terms:
            if term.field is Field.INTEGRATION and not term.negated:
                return sorted({self.partition_of(one) for one in term.integrations})
        return self._all()

    def _all(self) -> Sequence[int]:
        return range(self._partitions)

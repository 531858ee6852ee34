"""The order of one account in one integration: what is to come, and what was delivered lately. Changes nothing.

What is to come is the account's own list; what was delivered has no index: the newest part of the log is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.search.indexed import matching
from dispatcher.store.queue.search.listing import LIST, SCAN_CHUNK
from dispatcher.store.queue.views.checks import checks_of
from dispatcher.store.queue.views.rows import Row, read_reply, shown
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, run

MOST_LOOKED = 1000
"""Entries of the log that are looked at for what was delivered."""


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """``delivered`` and ``waiting`` begin with the one that comes first. ``count``: of all that wait."""

    delivered: Sequence[StoredEvent]
    waiting: Sequence[StoredEvent]
    count: int
    last_sequence: int
    """Of the newest event that was accepted for the account."""


async def account_order(
    client: Client, partition: int, event: Event, *, delivered: int, waiting: int
) -> AccountOrder | None:
    """Up to so many delivered and waiting events of the group that orders ``event``; None = nothing orders it."""
    if not event.group:
        return None
    group = (partition, event.integration_id, event.group)
    pipeline: Any = client.pipeline(transaction=False)
    pipeline.lrange(keys.group(*group), 0, waiting - 1)
    pipeline.llen(keys.group(*group))
    pipeline.hget(keys.group_facts(*group), "seq")
    with guarded():
        ids, count, last = await pipeline.execute()
        to_come = await _named(client, [one.decode() for one in ids])
        done = await _delivered(client, partition, event, delivered)
    return AccountOrder(done, to_come, count, int(last or 0))


async def _named(client: Client, ids: Sequence[str]) -> list[StoredEvent]:
    """In the order of ``ids``."""
    if not ids:
        return []
    rows = await matching(client, ids, EventFilter(types=frozenset(EventType)), complete=False)
    found = {one.event.id: one for one in await shown(client, rows, complete=False, payloads=False)}
    return [found[one] for one in ids if one in found]


async def _delivered(client: Client, partition: int, event: Event, limit: int) -> list[StoredEvent]:
    condition = EventFilter(
        statuses=frozenset({Status.SUCCEEDED}), account_id=event.account_id, integration_id=event.integration_id
    )
    rows: list[Row] = []
    upper, checks, looked = "+", checks_of(condition), 0
    while looked < MOST_LOOKED and len(rows) < limit:
        call = LIST.call([keys.own(partition)], upper, "-", SCAN_CHUNK, limit - len(rows), checks)
        reply = read_reply((await run(client, [call]))[0], partition)
        rows += reply.rows
        looked += reply.looked
        if not reply.rest:
            break
        upper = f"({reply.rest}"
    return (await shown(client, rows, complete=False, payloads=False))[::-1]

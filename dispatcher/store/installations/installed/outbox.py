"""Effects that are written with the transition that makes them, until the queue has them.

In order per installation. Applying one twice changes nothing: an event keeps its id, a lock its holder. Never applies
any itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.effect import Effect, LockChange
from dispatcher.model.event import Event
from dispatcher.store.definitions.schedule.glance import Glance
from dispatcher.store.documents.swap import Operation
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, reply_of, script

_DONE = script("installations/outbox_done")


@dataclass(frozen=True, slots=True)
class Entry:
    """``place`` orders it among the effects of its installation."""

    place: str
    effect: Effect


def written(installation_id: str, number: int, effects: Sequence[Effect], now_ms: int) -> list[Operation]:
    """Operations that write the effects of transition ``number`` with it."""
    if not effects:
        return []
    fields: list[Argument] = []
    for position, effect in enumerate(effects):
        fields += (f"{number:08d}-{position}", _stored(effect))
    return [
        Operation("HSET", keys.outbox(installation_id), tuple(fields)),
        Operation("ZADD", keys.OUTBOX, (now_ms, installation_id)),
    ]


class Outbox:
    """Both ends of it but writing, which is part of the transition. ``glance``: as of ``DueStore``."""

    def __init__(self, redis: Redis, glance: Glance | None = None) -> None:
        self._redis = redis
        self._glance = glance

    async def entries(self, installation_id: str) -> list[Entry]:
        """Everything of one installation that the queue may not have, oldest first."""
        with guarded():
            found = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(keys.outbox(installation_id)))
        return [Entry(place.decode(), _read(found[place])) for place in sorted(found)]

    async def done(self, installation_id: str, entries: Sequence[Entry]) -> None:
        """The queue has these."""
        names = [keys.outbox(installation_id), keys.OUTBOX]
        await reply_of(self._redis, _DONE.call(names, installation_id, *(one.place for one in entries)))

    async def waiting(self, before_ms: int, limit: int = 100) -> list[str]:
        """Installations with entries from before that time, oldest first."""
        if self._glance and not await self._glance.is_due(keys.OUTBOX):
            return []
        with guarded():
            found = await self._redis.zrangebyscore(keys.OUTBOX, "-inf", before_ms, start=0, num=limit)
        return [one.decode() for one in found]

    async def count(self, before_ms: int) -> int:
        """Number of installations with entries from before that time."""
        with guarded():
            return int(await self._redis.zcount(keys.OUTBOX, "-inf", before_ms))


def _stored(effect: Effect) -> bytes:
    if isinstance(effect, LockChange):
        lock = [effect.integration_id, effect.account_id, effect.holder, effect.number, effect.locked]
        return orjson.dumps({"lock": lock})
    return orjson.dumps({"event": [effect.id, effect.stored().decode()]})


def _read(stored: bytes) -> Effect:
    record = orjson.loads(stored)
    if "lock" in record:
        return LockChange(*record["lock"])
    event_id, document = record["event"]
    return Event.from_stored(event_id, document.encode())

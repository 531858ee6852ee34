"""Notices that the store lost what it had confirmed: a restart without persistence, a fail-over, an old backup.

Every process leaves a sign of life in the store each second and looks whether the one before is still there; it also
looks for the event that it accepted last. A server comes back with a prefix of what was written to it, so that what is
missing is everything after the last sign that survived. Never brings anything back.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import cast

import orjson
import structlog
from redis.asyncio import RedisCluster

from dispatcher.clock import DAY_MS, iso_ms
from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import until_next
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, run, script

EVERY_S = 1.0
SIGNS_KEPT_MS = DAY_MS
LOSSES_KEPT_S = 7 * 86_400

_MARK = script("health/mark")

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Loss:
    """Whatever was confirmed after ``survived_ms`` (0 = at any time) and before ``noticed_ms`` may be gone."""

    survived_ms: int
    noticed_ms: int
    noticed_by: str

    @property
    def text(self) -> str:
        since = f"after {iso_ms(self.survived_ms)}" if self.survived_ms else "at any time"
        return f"what Redis confirmed {since} and before {iso_ms(self.noticed_ms)} may be gone"


class LossWatch:
    """One per process; ``kind`` is its name in reports, before host and process id."""

    def __init__(self, client: Client, kind: str, *, partitions: int, retention_ms: int) -> None:
        self._client = client
        self._partitions = partitions
        self._retention_s = retention_ms / 1000
        self._process = f"{kind}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._signs: dict[str, int] = {}
        self._seen_event: str | None = None
        self._looked_s = time.monotonic()
        self.count = 0
        self.last: Loss | None = None

    async def look(self, newest_event: str | None = None) -> Loss | None:
        """Leave a sign, and say what was lost since the last one. ``newest_event``: the id accepted last here.

        Raises ``StoreUnavailable``: then nothing is known, and the next look finds what this one would have.
        """
        with guarded():
            gone = await self._is_gone(newest_event)
            places = await self._places()
            known = [(place, self._signs.get(place, 0)) for place in places]
            calls = [_MARK.call([place], self._process, sign, int(gone), SIGNS_KEPT_MS) for place, sign in known]
            replies = await run(self._client, calls)
        self._seen_event, self._looked_s = newest_event, time.monotonic()
        self._signs = {place: int(sign) for place, (sign, _, _) in zip(places, replies, strict=True)}
        survived = [int(at) for _, lost, at in replies if lost]
        return await self._record(min(survived)) if survived else None

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Looks every second while the context is open."""
        task = asyncio.create_task(self._follow(), name="losses")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _follow(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.debug("store unavailable", error=str(error))
            except Exception:
                log.exception("looking for losses broke off")
            await asyncio.sleep(until_next(EVERY_S, asyncio.get_running_loop().time()))

    async def _places(self) -> list[str]:
        """One key for each server that could lose something by itself."""
        names = [queue_keys.marks(partition) for partition in range(self._partitions)]
        if not isinstance(self._client, RedisCluster):
            return names[:1]
        await self._client.initialize()
        nodes = {node.name: name for name in reversed(names) if (node := self._client.get_node_from_key(name))}
        return sorted(nodes.values())

    async def _is_gone(self, event_id: str | None) -> bool:
        """An event stays for the retention time after its end, or for a day before it is archived, so it is there
        unless that long has passed.
        """
        if event_id is None or event_id == self._seen_event:
            return False
        if time.monotonic() - self._looked_s > min(self._retention_s, DAY_MS / 1000) / 2:
            return False
        return not await self._client.exists(queue_keys.event(int(event_id[-3:], 16), event_id))

    async def _record(self, survived_ms: int) -> Loss:
        loss = Loss(survived_ms, max(self._signs.values()), self._process)
        self.count += 1
        self.last = loss
        advice = "emit again what was emitted since, see docs/operations.md"
        log.error("data loss: the store lost confirmed writes", lost=loss.text, **asdict(loss), advice=advice)
        with guarded():
            await cast(
                "Awaitable[int]",
                self._client.hset(deployment_keys.LOSSES, str(survived_ms), orjson.dumps(loss).decode()),
            )
            await self._client.expire(deployment_keys.LOSSES, LOSSES_KEPT_S)
        return loss


async def recorded_losses(client: Client) -> list[Loss]:
    """Those that any process noticed within the last days, the latest first."""
    with guarded():
        records = await cast("Awaitable[list[bytes]]", client.hvals(deployment_keys.LOSSES))
    return sorted((Loss(**orjson.loads(record)) for record in records), key=lambda loss: -loss.noticed_ms)

"""The lookout: finds workers that are lost by what is seen of them, long before their leases end, and ends those.

It also is this worker's heartbeat, and its measure of the store's time: one request has all three. What counts as lost
is decided by ``policy.lost_workers``; what an early end of a lease may touch, by ``store.queue.owning.leases``. Takes
nothing over.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import structlog

from dispatcher.model.lease import Lease
from dispatcher.policy.lost_workers import Trace, Watch
from dispatcher.store.health.workers.heartbeats import Heartbeats, Signs
from dispatcher.store.health.workers.listeners import Listeners
from dispatcher.store.queue.owning.leases import Leases
from dispatcher.store.redis.server_time import ServerTime

EVERY_S = 1 / 3
"""Between two looks, and between two heartbeats of a worker that is not heard listening."""
AGAIN_S = 0.1
"""Between looks while somebody is silent."""

log = structlog.get_logger("lookout")


@dataclass(frozen=True, slots=True)
class Sight:
    """One look: how many workers live, whether one left by itself since the last, whether one is silent that is not
    lost yet, and partitions of the lost.
    """

    alive: int
    left: bool
    silent: bool = False
    ended: tuple[int, ...] = ()


class Lookout:
    """One per worker process."""

    def __init__(
        self, worker_id: str, beats: Heartbeats, listeners: Listeners, leases: Leases, server_time: ServerTime
    ) -> None:
        """``listeners``: for where ``beats`` cannot count them."""
        self._worker_id = worker_id
        self.beats = beats
        self._server_time = server_time
        self._listeners = listeners
        self._leases = leases
        self._watch = Watch(worker_id)
        self._known: Set[str] = frozenset()

    async def look(self) -> Sight:
        """Show this worker, and look at all that are heard of."""
        asked_s = self._server_time.steady()
        signs = await self.beats.look(self._worker_id)
        self._server_time.learn(signs.now_ms, asked_s)
        traces = await self._traces(signs)
        lost = self._watch.lost(traces, signs.now_ms)
        left = bool(self._known - signs.beats.keys())
        self._known = signs.beats.keys() - lost
        ended = await self._end(lost, traces) if lost else ()
        return Sight(len(signs.alive - lost), left, traces.keys() > lost, ended)

    async def _traces(self, signs: Signs) -> dict[str, Trace]:
        """Of workers that listened, and do not now."""
        silent = self._watch.silent(await self._listening(signs), signs.beats)
        leases = await self._leases.of(silent) if silent else frozenset()
        return {worker: Trace(signs.beats[worker], _of(worker, leases)) for worker in silent}

    async def _listening(self, signs: Signs) -> frozenset[str]:
        if signs.listening is not None:
            return signs.listening
        return await self._listeners.among(signs.beats) if len(signs.beats) > 1 else frozenset(signs.beats)

    async def _end(self, lost: Set[str], traces: dict[str, Trace]) -> tuple[int, ...]:
        for worker in lost:
            await self.beats.leave(worker)
        ended = await self._leases.end(lease for worker in lost for lease in traces[worker].leases)
        log.warning("workers lost", workers=sorted(lost), partitions=ended)
        return tuple(ended)


def _of(worker: str, leases: frozenset[Lease]) -> frozenset[Lease]:
    return frozenset(lease for lease in leases if lease.owner == worker)

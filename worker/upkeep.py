"""Upkeep, about once a second: heartbeat, partitions without an owner, fair shares, overdue results, repairs.

Runs in every worker; each step is safe to run in several at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Collection, Iterator, Mapping

import orjson
import structlog

from dispatcher.clock import Clock
from dispatcher.errors import StoreDeclined, StoreUnavailable
from dispatcher.flow.events.acting.conclude import Conclusions
from dispatcher.store.jobs import JobQueue
from dispatcher.store.queue.owning.partition import REPAIR_START, PartitionStore, RepairPosition
from dispatcher.store.redis.server_time import ServerTime
from dispatcher.store.reseal.key_check import KeyCheck
from worker.lookout import AGAIN_S, Lookout
from worker.partition.owner import Owner

EVERY_S = 1.0
LOOKS_AT_MOST = 10
"""In a row; then at the usual pace, however long somebody is silent and yet lives."""
GRANT_MS = 2000
"""Life of a grant that no worker takes up; the partition is granted anew then."""
RELEASED_AT_ONCE = 4
LEAVE_S = 3.0
"""Longest time in which nothing is claimed of a partition that is to be handed over."""
PART_AFTER_S = 0.2
"""Time that the attempts of a worker that stops have to end, before others own its partitions meanwhile."""
OFFERED_TIMES = 4
TIDY_EVERY_S = 30.0
"""Between trims of logs and recounts of lanes."""
REPAIR_IDLE = 500
"""Open events, and as many entries of the log, that are checked of each partition at a time."""
REPAIR_BUSY = 256
"""The same for all partitions together while attempts run: Redis is for delivering then."""
QUIET_PASSES = 10
"""Passes of which one goes on in partitions in which nothing is open, by their counts as well."""

_ADVICE = "add the key that the API seals with to DISPATCHER_SECRET_KEYS and restart this worker"

log = structlog.get_logger("upkeep")


class Upkeep:
    """One per worker process."""

    def __init__(
        self,
        owner: Owner,
        store: PartitionStore,
        jobs: JobQueue,
        lookout: Lookout,
        conclusions: Conclusions,
        clock: Clock,
        server_time: ServerTime,
        key_check: KeyCheck,
    ) -> None:
        self._owner = owner
        self._store = store
        self._jobs = jobs
        self._beats = lookout.beats
        self._lookout = lookout
        self._conclusions = conclusions
        self._clock = clock
        self._server_time = server_time
        self._checked_to: dict[int, RepairPosition] = {}
        self._gone_through: set[int] = set()
        """Partitions whose repair has come to an end since it last found something."""
        self._passes = 0
        self._offered: dict[int, tuple[int, int]] = {}
        self._tidied_at = 0.0
        self._key_check = key_check
        self._leaving: dict[int, float] = {}
        """Surplus partitions, and since when."""
        self.lacks_key = False
        """The newest secret key is not among this process's."""
        self.share = 0
        """Partitions that this process should own at most."""
        self._introduced = False
        """It has looked at the others, and so knows its share."""
        self._withdrawn = False

    async def once(self) -> None:
        """One pass of ownership: heartbeat, partitions without an owner, fair shares."""
        asking = self._has_newest_key(), self._unowned(), self._tell(), self._introduce()
        has_newest_key, unowned, *_ = await asyncio.gather(*asking)
        if not has_newest_key:
            return
        await self._take_unowned(unowned)
        await self._give_up_surplus()

    async def tend(self) -> None:
        """One pass over what this process owns. However long that takes, ownership does not wait for it."""
        mine = list(self._owner.partitions)
        if not mine:
            return
        now_ms = self._clock.now_ms()
        asking = self._store.overdue_results(mine, now_ms), self._to_repair(mine)
        overdue, damaged = await asyncio.gather(*asking)
        for event_id in overdue:
            with _apart(event_id=event_id):
                await self._conclusions.expire(event_id)
        if damaged:
            await self._repair(damaged)
        if time.monotonic() - self._tidied_at > TIDY_EVERY_S:
            self._tidied_at = time.monotonic()
            await self._tidy(mine, now_ms)

    async def _has_newest_key(self) -> bool:
        """False: what others seal now cannot be opened here, so this worker gives up all that it has."""
        has = await self._key_check.passes()
        if has is self.lacks_key:
            self.lacks_key = not has
            (log.info if has else log.error)("newest secret key", is_here=has, advice=None if has else _ADVICE)
        if not has:
            await self._server_time.measure()  # pings are signed also where nothing is owned, and nobody looked at
            self._leave_all()
            await self._beats.lacks_key(self._owner.worker_id, self._clock.now_ms())
        return has

    async def _introduce(self) -> None:
        """Show this worker, and learn its share, unless it has looked before."""
        if not self._introduced:
            await self._look()

    async def _tell(self) -> None:
        if self.lacks_key:
            return
        info = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "partitions": sorted(self._owner.partitions),
            "inFlight": self._owner.in_flight,
        }
        await self._beats.tell(self._owner.worker_id, orjson.dumps(info))

    async def watch(self) -> None:
        """A look for workers that are lost, and more while one is silent; what they had is taken over at once."""
        for _ in range(LOOKS_AT_MOST):
            if self.lacks_key or not await self._look():
                return
            await asyncio.sleep(AGAIN_S)

    async def _look(self) -> bool:
        """True when somebody is silent who is not lost yet."""
        sight = await self._lookout.look()
        self._introduced = True
        self._share_with(sight.alive)
        await self.take_over(sight.ended)
        if sight.left:
            await self.find_unowned()
        return sight.silent

    def _share_with(self, workers: int) -> None:
        self.share = 0 if self._withdrawn else -(-self._store.partitions // max(1, workers))

    def _leave_all(self) -> None:
        self.share = 0
        for partition in [p for p, owned in self._owner.partitions.items() if not owned.leaving]:
            self._owner.leave(partition)

    async def take_over(self, partitions: Collection[int]) -> None:
        """Own what has no owner, within this worker's share, and offer the others to all."""
        granted = await self._store.grant_each(partitions, GRANT_MS)
        room = max(0, self.share - len(self._owner.partitions))
        await self._owner.take(dict(list(granted.items())[:room]))
        for partition, generation in list(granted.items())[room:]:
            await self._jobs.drain(partition, generation)

    def withdraw(self) -> None:
        """Take nothing over from now on, and leave each partition; what still runs then goes on, and is settled."""
        self._withdrawn = True
        self._leaving.clear()
        self._leave_all()

    async def retire(self) -> None:
        """Offer what this worker lets go of, for as long as it does, once it has withdrawn."""
        freed = self._owner.hand_over(PART_AFTER_S)
        while True:
            await freed.wait()
            freed.clear()
            with contextlib.suppress(StoreUnavailable):
                await self.find_unowned()

    async def find_unowned(self) -> None:
        """Take over every partition without an owner, unless it is ours and about to be renewed, or on offer."""
        await self._take_unowned(await self._unowned())

    async def _unowned(self) -> dict[int, int]:
        mine = [number for number, owned in self._owner.partitions.items() if not owned.parted]
        return await self._store.unowned(mine, self._clock.now_ms())

    async def _take_unowned(self, unowned: Mapping[int, int]) -> None:
        await self.take_over([one for one, before in unowned.items() if not await self._still_offered(one, before)])

    async def _still_offered(self, partition: int, generation: int) -> bool:
        """True while a job is worth waiting for: a few times only, its worker may be dead."""
        if not generation or not await self._jobs.offers(partition, generation):
            self._offered.pop(partition, None)
            return False
        seen, times = self._offered.get(partition, (generation, 0))
        self._offered[partition] = (generation, times + 1 if seen == generation else 1)
        return self._offered[partition][1] < OFFERED_TIMES

    async def _give_up_surplus(self) -> None:
        """Release a few partitions a second, beyond our share, and offer them at once.

        Those in which attempts wait for slow hosts come last, and go on until these have ended: nothing is claimed of
        a partition that is leaving, and nobody's events are to wait for the hosts of another.
        """
        self._stay_where_it_takes_long()
        mine = sorted(
            (owned.waits_for_slow_hosts, p) for p, owned in self._owner.partitions.items() if not owned.leaving
        )
        surplus = mine[: max(0, len(mine) - self.share)]
        for slow, partition in mine:
            self._owner.partitions[partition].parting = slow and (slow, partition) in surplus
        chosen = [partition for slow, partition in surplus[:RELEASED_AT_ONCE] if not slow]
        leaving = [self._owner.leave(partition) for partition in chosen]
        self._leaving |= dict.fromkeys(chosen, time.monotonic())
        if not leaving:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await asyncio.gather(*(closed.wait() for closed in leaving))
        await self.find_unowned()

    def _stay_where_it_takes_long(self) -> None:
        """An attempt that had just begun may turn out to wait for minutes."""
        for partition, since_s in list(self._leaving.items()):
            if partition not in self._owner.partitions:
                del self._leaving[partition]
            elif time.monotonic() - since_s > LEAVE_S:
                del self._leaving[partition]
                self._owner.stay(partition)

    async def _tidy(self, mine: list[int], now_ms: int) -> None:
        await asyncio.gather(*(self._trim(partition, now_ms) for partition in mine))
        for partition, repairs in (await self._store.repair_lanes(mine)).items():
            self._log_repairs(partition, repairs)

    async def _trim(self, partition: int, now_ms: int) -> None:
        with _apart(partition=partition):
            await self._store.trim(partition, now_ms)

    async def _to_repair(self, mine: list[int]) -> list[int]:
        """Those in which something may be in the wrong place.

        Where nothing is open, and as many events have ended as were accepted, nothing can be, unless keys that count
        were lost as well: such a partition is gone through once, and then looked at each ``QUIET_PASSES``.
        """
        self._passes += 1
        if self._passes % QUIET_PASSES == 0:
            return mine
        quiet = await self._store.quiet([partition for partition in mine if partition in self._gone_through])
        return [partition for partition in mine if partition not in quiet]

    async def _repair(self, mine: list[int]) -> None:
        at = {partition: self._checked_to.get(partition, REPAIR_START) for partition in mine}
        how_many = -(-REPAIR_BUSY // len(mine)) if self._owner.in_flight else REPAIR_IDLE
        for partition, (place, repairs) in (await self._store.repair(at, how_many)).items():
            self._checked_to[partition] = place
            if place == REPAIR_START:
                self._gone_through.add(partition)
            if repairs:
                self._gone_through.discard(partition)
                self._log_repairs(partition, repairs)

    def _log_repairs(self, partition: int, repairs: int) -> None:
        log.warning("repaired", partition=partition, repairs=repairs)
        self._owner.nudge(partition)


@contextlib.contextmanager
def _apart(**what: object) -> Iterator[None]:
    """One whose keys are damaged, or whose slot moves, keeps no other waiting; a store that is away ends the pass."""
    try:
        yield
    except StoreDeclined as error:
        log.warning("put off", error=str(error), **what)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("put off", **what)

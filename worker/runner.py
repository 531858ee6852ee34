"""Runs one claimed event and teaches its lane. Always ends in a settlement, also when it is cancelled.

Never claims and never settles: the owner does.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog

from dispatcher.clock import steady_clock
from dispatcher.errors import StoreUnavailable
from dispatcher.model.attempt import Outcome
from dispatcher.store.partition import Claimed, Move, PartitionStore, Settlement
from dispatcher.store.queue import QueueStore
from dispatcher.store.sealing import SealError
from worker.deliver import Delivered, Deliverer
from worker.holding import Holding
from worker.lane import Lane

PUT_OFF_MS = 200
"""Until an event is tried again whose definitions could not be read."""
BROKE_OFF_MS = 5000
"""Until an event is tried again whose attempt met an error of ours."""

_NONE: frozenset[str] = frozenset()

log = structlog.get_logger("runner")


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """What every lane starts with, until its revision says otherwise."""

    concurrency: int
    circuit_failures: int
    circuit_open_s: float


class Runner:
    """One per process."""

    def __init__(self, store: PartitionStore, queue: QueueStore, deliverer: Deliverer, policy: LanePolicy) -> None:
        self._store = store
        self._queue = queue
        self._deliverer = deliverer
        self._policy = policy

    async def run(self, holding: Holding, claimed: Claimed, offset_ms: int) -> Settlement:
        """How the event goes on. ``offset_ms``: the store's clock minus the steady one."""
        try:
            delivered = await self._attempt(holding, claimed, offset_ms)
            self._learn(holding, claimed, delivered, offset_ms)
        except asyncio.CancelledError:
            return Settlement(claimed, Move.RELEASE)
        except StoreUnavailable:  # before anything was sent; the owner's loop tells of it
            return Settlement(claimed, Move.RELEASE, delay_ms=PUT_OFF_MS)
        except SealError as error:
            log.error("secret cannot be opened", event_id=claimed.event.id, error=str(error))
            return Settlement(claimed, Move.RELEASE, delay_ms=BROKE_OFF_MS)
        except Exception:
            log.exception("attempt broke off", event_id=claimed.event.id)
            return Settlement(claimed, Move.RELEASE, delay_ms=BROKE_OFF_MS)
        return delivered.settlement

    async def _attempt(self, holding: Holding, claimed: Claimed, offset_ms: int) -> Delivered:
        lane = claimed.event.integration_id
        suspended = await self._store.suspended_urls(holding.partition, lane) if claimed.url_suspended else _NONE
        delivered = await self._deliverer.deliver(claimed, suspended, offset_ms, holding.count)
        if delivered.suspend_url:
            with contextlib.suppress(StoreUnavailable):  # what was sent is settled in any case; the next 410 suspends
                await self._queue.suspend_url(lane, delivered.suspend_url)
        return delivered

    def _learn(self, holding: Holding, claimed: Claimed, delivered: Delivered, offset_ms: int) -> None:
        lane_id = claimed.event.integration_id
        lane = holding.lanes.get(lane_id) or self._new_lane(holding, lane_id)
        lane.configure(delivered.limits, claimed.rate_limited)
        if delivered.outcome is not None:
            now_ms = int(steady_clock() * 1000) + offset_ms
            if lane.authorise(delivered.outcome, now_ms):
                failing = delivered.outcome is Outcome.TOKEN_FAILED
                log.warning("credentials", integration_id=lane_id, state="FAILING" if failing else "AUTHORIZED")
            if lane.observe(delivered.outcome, delivered.http_status, delivered.retry_after_s, now_ms):
                log.warning("circuit opened", integration_id=lane_id)
        holding.touched.add(lane_id)

    def _new_lane(self, holding: Holding, lane_id: str) -> Lane:
        lane = holding.lanes[lane_id] = Lane(
            lane_id,
            maximum=self._policy.concurrency,
            circuit_failures=self._policy.circuit_failures,
            circuit_open_ms=int(self._policy.circuit_open_s * 1000),
        )
        return lane

"""Runs one claimed event and teaches its lane. Always ends in a settlement, also when it is cancelled.

Never claims and never settles: the owner does.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

import structlog

from dispatcher.clock import steady_clock
from dispatcher.errors import StoreUnavailable
from dispatcher.model.attempt import Outcome
from dispatcher.model.operational import Happening, OperationalKind, Tell
from dispatcher.model.status import Status
from dispatcher.policy.circuit import CircuitState
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.partition import Claimed, Move, PartitionStore, Settlement
from dispatcher.store.secrets.sealing import SealError
from worker.delivery.deliver import Delivered, Deliverer
from worker.partition.lane import Lane
from worker.partition.owned_partition import Holding

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

    def __init__(
        self,
        store: PartitionStore,
        queue: QueueStore,
        deliverer: Deliverer,
        policy: LanePolicy,
        tell: Tell | None = None,
    ) -> None:
        """``tell``: how operators hear of it; None = they do not."""
        self._store = store
        self._queue = queue
        self._deliverer = deliverer
        self._policy = policy
        self._tell = tell

    async def run(self, holding: Holding, claimed: Claimed, offset_ms: int) -> Settlement:
        """How the event goes on. ``offset_ms``: the store's clock minus the steady one."""
        lane = self._lane(holding, claimed)
        lane.in_flight += 1
        try:
            delivered = await self._attempt(holding, claimed, lane, offset_ms)
            self._learn(holding, claimed, lane, delivered, offset_ms)
            if self._tell is not None and (delivered.suspend_url or delivered.settlement.to is Status.DEAD):
                self._tell_of_end(self._tell, claimed, delivered, offset_ms)
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
        finally:
            lane.in_flight -= 1
        return delivered.settlement

    async def _attempt(self, holding: Holding, claimed: Claimed, lane: Lane, offset_ms: int) -> Delivered:
        lane_id = claimed.event.integration_id
        suspended = await self._store.suspended_urls(holding.partition, lane_id) if claimed.url_suspended else _NONE
        place = partial(lane.place, rate_limited=claimed.rate_limited)
        delivered = await self._deliverer.deliver(claimed, suspended, offset_ms, holding.count, place)
        if delivered.suspend_url:
            with contextlib.suppress(StoreUnavailable):  # what was sent is settled in any case; the next 410 suspends
                await self._queue.suspend_url(lane_id, delivered.suspend_url)
        return delivered

    def _learn(self, holding: Holding, claimed: Claimed, lane: Lane, delivered: Delivered, offset_ms: int) -> None:
        lane_id = claimed.event.integration_id
        lane.configure(delivered.limits, claimed.rate_limited)
        if delivered.outcome is not None:
            now_ms = int(steady_clock() * 1000) + offset_ms
            if lane.authorise(delivered.outcome, now_ms):
                self._credentials_changed(claimed, delivered, now_ms)
            turned = lane.observe(delivered.outcome, delivered.http_status, delivered.retry_after_s, now_ms)
            if turned is not None:
                self._circuit_turned(lane_id, turned, now_ms)
        holding.touched.add(lane_id)

    def _credentials_changed(self, claimed: Claimed, delivered: Delivered, now_ms: int) -> None:
        lane_id, failing = claimed.event.integration_id, delivered.outcome is Outcome.TOKEN_FAILED
        log.warning("credentials", integration_id=lane_id, state="FAILING" if failing else "AUTHORIZED")
        if self._tell is not None:
            kind = OperationalKind.CREDENTIALS_FAILING if failing else OperationalKind.CREDENTIALS_AUTHORIZED
            self._tell(Happening(kind, lane_id, now_ms, claimed.event.id, _error(delivered) if failing else {}))

    def _circuit_turned(self, lane_id: str, turned: CircuitState, now_ms: int) -> None:
        opened = turned is CircuitState.OPEN
        log.warning("circuit opened" if opened else "circuit closed", integration_id=lane_id)
        if self._tell is not None:
            kind = OperationalKind.CIRCUIT_OPENED if opened else OperationalKind.CIRCUIT_CLOSED
            self._tell(Happening(kind, lane_id, now_ms))

    def _tell_of_end(self, tell: Tell, claimed: Claimed, delivered: Delivered, offset_ms: int) -> None:
        """The URL answered 410, or the attempts are used up: somebody has to look."""
        event, now_ms = claimed.event, int(steady_clock() * 1000) + offset_ms
        if delivered.suspend_url:
            gone = {"url": delivered.suspend_url}
            tell(Happening(OperationalKind.URL_SUSPENDED, event.integration_id, now_ms, event.id, gone))
        if delivered.settlement.to is Status.DEAD:
            why = _error(delivered)
            tell(Happening(OperationalKind.EVENT_DEAD, event.integration_id, now_ms, event.id, why))

    def _lane(self, holding: Holding, claimed: Claimed) -> Lane:
        lane_id = claimed.event.integration_id
        return holding.lanes.get(lane_id) or self._new_lane(holding, lane_id, claimed.flags)

    def _new_lane(self, holding: Holding, lane_id: str, flags: bytes) -> Lane:
        lane = holding.lanes[lane_id] = Lane(
            lane_id,
            maximum=self._policy.concurrency,
            circuit_failures=self._policy.circuit_failures,
            circuit_open_ms=int(self._policy.circuit_open_s * 1000),
            failing=b"f" in flags,
            circuit_open=b"c" in flags,
        )
        return lane


def _error(delivered: Delivered) -> dict[str, str | int | None]:
    """Why, without any secret: texts of a settlement are scrubbed."""
    settlement = delivered.settlement
    return {"errorCode": settlement.error_code, "error": settlement.error_message}

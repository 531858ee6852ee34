"""Runs one claimed event, counts it, and teaches its lane. Always ends in a settlement, also when cancelled.

Never claims and never settles: the owner does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import structlog

from dispatcher.clock import Clock
from dispatcher.errors import StoreUnavailable
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.operational import Notify, OperationalEvent, OperationalKind
from dispatcher.policy.figures.attempted import ATTEMPT_SECONDS, DELIVERY_LATENCY
from dispatcher.policy.figures.exemplars import Exemplar, sampled_trace_id
from dispatcher.policy.figures.tallies import Tallies
from dispatcher.policy.pace.circuit import CircuitState
from dispatcher.policy.pace.lane import Lane
from dispatcher.policy.pace.places import Occupancy, Places
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Claimed, Move, Settlement, SuspendedUrls, UnreadableContents
from dispatcher.store.queue.owning.codec import UNREADABLE_MS
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.secrets.sealing import SealError
from worker.delivery.deliver import Deliverer
from worker.delivery.delivery import Delivered
from worker.partition.owned_partition import OwnedPartition

PUT_OFF_MS = 200
"""Delay of an event whose definitions could not be read."""
BROKE_OFF_MS = 5000
"""Delay of an event whose attempt met an error of ours."""

_NONE = SuspendedUrls()

log = structlog.get_logger("runner")


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """Limits of every lane, unless its revision has its own."""

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
        clock: Clock,
        places: Places,
        notify: Notify | None = None,
        tallies: Tallies | None = None,
    ) -> None:
        """``notify`` queues operational events; None = no operator listens. ``tallies`` None: nobody draws charts."""
        self._store = store
        self._queue = queue
        self._deliverer = deliverer
        self._policy = policy
        self._clock = clock
        self._places = places
        self._notify = notify
        self._tallies = tallies

    async def run(self, owned: OwnedPartition, claimed: Claimed) -> Settlement:
        """Deliver one event; returns its settlement."""
        lane = self._lane(owned, claimed)
        try:
            if not lane.places.tenant_known:
                await self._deliverer.look_up(claimed)
                self._places.learn(lane.places)
            turn = None if owned.parting and lane.places.slow else self._places.take(lane.places, claimed.size_bytes)
            if turn is None:
                return self.crowd_out(owned, claimed)
            try:
                return await self._delivered(owned, claimed, lane)
            finally:
                self._places.give_back(lane.places, turn, claimed.size_bytes)
        except asyncio.CancelledError:
            return Settlement(claimed, Move.RELEASE)
        except StoreUnavailable:  # before anything was sent; the owner's loop logs it
            return Settlement(claimed, Move.RELEASE, delay_ms=PUT_OFF_MS)
        except SealError as error:
            log.error("secret cannot be opened", event_id=claimed.event.id, error=str(error))
            return Settlement(claimed, Move.RELEASE, delay_ms=BROKE_OFF_MS)
        except UnreadableContents as error:  # found before anything was sent, as are secrets
            log.error("event cannot be read", event_id=claimed.event.id, error=str(error))
            return Settlement(claimed, Move.RELEASE, delay_ms=UNREADABLE_MS)
        except Exception:
            log.exception("attempt broke off", event_id=claimed.event.id)
            return Settlement(claimed, Move.RELEASE, delay_ms=BROKE_OFF_MS)

    async def _delivered(self, owned: OwnedPartition, claimed: Claimed, lane: Lane) -> Settlement:
        if claimed.url_suspended:
            delivered = await self._delivered_past(owned, claimed, lane)
        else:
            delivered = await self._deliverer.deliver(claimed, _NONE, lane)
            if delivered.suspend_url:
                await self._suspend(claimed.event.integration_id, delivered.suspend_url)
        self._learn(owned, claimed, lane, delivered)
        if self._notify is not None and delivered.suspend_url:
            self._notify_of_suspension(self._notify, delivered.settlement, delivered.suspend_url)
        return delivered.settlement

    async def _delivered_past(self, owned: OwnedPartition, claimed: Claimed, lane: Lane) -> Delivered:
        """The same where a URL is suspended, or half-open: that one is taken until the store knows what it showed."""
        half_open, moment, lane_id = lane.half_open, lane.half_open.moment, claimed.event.integration_id
        suspended = await self._suspended(owned, claimed)
        first_to = partial(half_open.begin, claim_id=claimed.claim_id, moment=moment)
        try:
            delivered = await self._deliverer.deliver(claimed, suspended, lane, first_to)
            taken = half_open.taken_by(claimed.claim_id)
            if delivered.suspend_url:
                await self._suspend(lane_id, delivered.suspend_url)
            elif taken and delivered.reading is not None and delivered.reading.http_status is not None:
                with contextlib.suppress(StoreUnavailable):  # the next answer says it again
                    await self._queue.url_answered(lane_id, taken)
        finally:
            half_open.end(claimed.claim_id)
        return delivered

    def crowd_out(self, owned: OwnedPartition, claimed: Claimed) -> Settlement:
        """Give it back, and leave its lane alone for a while: its tenant's attempts leave it no place or no memory,
        or its own keep the partition from being handed over.
        """
        self._lane(owned, claimed).crowd_out(self._clock.now_ms())
        owned.changed_lanes.add(claimed.event.integration_id)
        return Settlement(claimed, Move.RELEASE)

    async def _suspended(self, owned: OwnedPartition, claimed: Claimed) -> SuspendedUrls:
        return await self._store.suspended_urls(owned.partition, claimed.event.integration_id)

    async def _suspend(self, lane_id: str, url: str) -> None:
        with contextlib.suppress(StoreUnavailable):  # what was sent is settled in any case; the next 410 suspends
            await self._queue.suspend_url(lane_id, url)

    def _learn(self, owned: OwnedPartition, claimed: Claimed, lane: Lane, delivered: Delivered) -> None:
        """Count the attempt, and teach the lane what it showed."""
        lane.configure(delivered.limits, claimed.rate_limited)
        if delivered.crowded:
            lane.crowd_out(self._clock.now_ms())
        else:
            lane.ease()
        owned.changed_lanes.add(claimed.event.integration_id)
        reading, attempt = delivered.reading, delivered.settlement.attempt
        if reading is None or attempt is None:
            return
        self._count(owned, delivered.settlement, attempt, reading.sent_ms)
        if not delivered.teaches:
            return
        outcome, now_ms = reading.verdict.outcome, self._clock.now_ms()
        if lane.authorise(outcome, now_ms):
            self._credentials_changed(delivered, outcome is Outcome.TOKEN_FAILED, now_ms)
        turned = lane.observe(outcome, reading.http_status, reading.retry_after_s, now_ms)
        if turned is not None:
            self._circuit_turned(claimed.event.integration_id, turned, now_ms)

    def _count(self, owned: OwnedPartition, settlement: Settlement, attempt: Attempt, sent_ms: int | None) -> None:
        """For its partition, and for the chart of its integration."""
        claimed, outcome, duration_s = settlement.claimed, attempt.outcome, attempt.duration_ms / 1000
        first_s = None
        if claimed.n == 1 and sent_ms is not None:
            first_s = max(0, sent_ms - claimed.state.created_ms) / 1000
        owned.attempted.add(outcome, duration_s, first_s)
        if self._tallies is None:
            return
        lane = owned.partition, claimed.event.integration_id
        self._tallies.note(lane, outcome, settlement.to, duration_s, first_s)
        if claimed.event.trace is not None:
            _exemplify(self._tallies, claimed.event.trace, attempt, first_s)

    def _credentials_changed(self, delivered: Delivered, failing: bool, now_ms: int) -> None:
        event = delivered.settlement.claimed.event
        log.warning("credentials", integration_id=event.integration_id, state="FAILING" if failing else "AUTHORIZED")
        if self._notify is not None:
            kind = OperationalKind.CREDENTIALS_FAILING if failing else OperationalKind.CREDENTIALS_AUTHORIZED
            detail = _error(delivered.settlement) if failing else {}
            self._notify(OperationalEvent(kind, event.integration_id, now_ms, event.id, detail))

    def _circuit_turned(self, lane_id: str, turned: CircuitState, now_ms: int) -> None:
        opened = turned is CircuitState.OPEN
        log.warning("circuit opened" if opened else "circuit closed", integration_id=lane_id)
        if self._notify is not None:
            kind = OperationalKind.CIRCUIT_OPENED if opened else OperationalKind.CIRCUIT_CLOSED
            self._notify(OperationalEvent(kind, lane_id, now_ms))

    def _notify_of_suspension(self, notify: Notify, settlement: Settlement, url: str) -> None:
        """The URL answered 410: somebody has to look."""
        event = settlement.claimed.event
        gone = {"url": url}
        notify(
            OperationalEvent(OperationalKind.URL_SUSPENDED, event.integration_id, self._clock.now_ms(), event.id, gone)
        )

    def notify_of_dead(self, settlements: Iterable[Settlement]) -> None:
        """The first that died of their cause; those that follow are counted in the verdict, and told to nobody."""
        if self._notify is None:
            return
        for settlement in settlements:
            event, why = settlement.claimed.event, _error(settlement)
            kind = OperationalKind.EVENT_DEAD
            self._notify(OperationalEvent(kind, event.integration_id, self._clock.now_ms(), event.id, why))

    def _lane(self, owned: OwnedPartition, claimed: Claimed) -> Lane:
        lane_id = claimed.event.integration_id
        return owned.lanes.get(lane_id) or self._new_lane(owned, lane_id, claimed.flags)

    def _new_lane(self, owned: OwnedPartition, lane_id: str, flags: bytes) -> Lane:
        lane = owned.lanes[lane_id] = Lane(
            Occupancy(lane_id),
            maximum=self._policy.concurrency,
            circuit_failures=self._policy.circuit_failures,
            circuit_open_ms=int(self._policy.circuit_open_s * 1000),
            failing=b"f" in flags,
            circuit_open=b"c" in flags,
            crowded=b"s" in flags,
        )
        return lane


def _error(settlement: Settlement) -> dict[str, str | int | None]:
    """The reason, without any secret: texts of a settlement are scrubbed."""
    return {"errorCode": settlement.error_code, "error": settlement.error_message}


def _exemplify(tallies: Tallies, trace: str, attempt: Attempt, first_s: float | None) -> None:
    """The same for whoever looks for the trace behind a figure."""
    trace_id, took_s = sampled_trace_id(trace), attempt.duration_ms / 1000
    if trace_id is None:
        return
    at_ms = attempt.started_ms + int(attempt.duration_ms)
    tallies.exemplify(ATTEMPT_SECONDS.bucket(took_s), Exemplar(trace_id, took_s, at_ms))
    if first_s is not None:
        tallies.exemplify(DELIVERY_LATENCY.bucket(first_s), Exemplar(trace_id, first_s, at_ms))

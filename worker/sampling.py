"""Samples the counters each second into the history: of the fleet, and of integrations with traffic.

Accepting and settling know nothing of it. A process that is killed loses a second of a chart at most, and no counter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence, Set
from dataclasses import dataclass

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import every
from dispatcher.policy.figures.history import LANE, Resolution, total
from dispatcher.policy.figures.tallies import LaneKey, Tallies
from dispatcher.policy.figures.tally import Figures, add, grown, no_figures
from dispatcher.store.history.exemplars import ExemplarStore
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory, Slot
from dispatcher.store.history.sampled import SampledCounters

EVERY_S = 1.0
LANES_AT_ONCE = 250
"""Integrations whose charts one sample writes: 6 ms of this process, 1 ms of Redis. Others wait for the next one."""
IDLE_AT_ONCE = 64
"""Partitions without attempts whose counters one sample reads: some 5 ms of this process."""
TRIM_EVERY_MS = 60_000
FORGOTTEN_MS = 3_600_000
"""Spans of an integration are held open here until it had no attempt for so long."""

log = structlog.get_logger("history")


@dataclass(frozen=True, slots=True)
class Sampling:
    """The places that a sample is read from and written to."""

    counters: SampledCounters
    fleet: FleetHistory
    lanes: LaneHistory
    exemplars: ExemplarStore


@dataclass(slots=True)
class _Open:
    """A span that still grows: exact here, rounded where it is kept."""

    span: int
    figures: Figures
    fresh: bool
    touched_ms: int


class Sampler:
    """One per process. ``lanes_bytes``: memory for the integrations of one partition; 0 = they have no charts."""

    def __init__(
        self,
        history: Sampling,
        tallies: Tallies,
        now_ms: Callable[[], int],
        owned: Callable[[], Collection[int]],
        lanes_bytes: int,
    ) -> None:
        self._history = history
        self._tallies = tallies
        self._now_ms = now_ms
        self._owned = owned
        self._lanes_bytes = lanes_bytes
        self._sampled: dict[int, Figures] = {}
        self._open: dict[tuple[LaneKey, Resolution], _Open] = {}
        self._busy: Set[int] = frozenset()
        """Partitions whose counters grew by the last sample."""
        self._turn = 0
        self._trimmed_ms = now_ms()

    @contextlib.asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Each second while the context is open, and once more at its end."""
        ended = asyncio.Event()
        task = asyncio.create_task(every(EVERY_S, self.once, ended, name="history"), name="history")
        try:
            yield
        finally:
            ended.set()
            await task
            with contextlib.suppress(StoreUnavailable):
                await self.once()

    async def once(self) -> None:
        """One sample. Raises nothing for a store that is away or full: what is missing comes with the next."""
        now_ms = self._now_ms()
        try:
            await self._sample_fleet(now_ms)
            await self._sample_lanes(now_ms)
            if exemplars := self._tallies.take_exemplars():
                await self._history.exemplars.write(exemplars)
            if now_ms - self._trimmed_ms >= TRIM_EVERY_MS:
                self._trimmed_ms = now_ms
                await self._trim(now_ms)
        except StoreUnavailable as error:
            log.debug("not sampled", error=str(error))

    async def _sample_fleet(self, now_ms: int) -> None:
        mine = sorted(self._owned())
        if lost := self._sampled.keys() - set(mine):
            self._sampled = {partition: kept for partition, kept in self._sampled.items() if partition not in lost}
            self._forget(lambda lane, _: lane[0] in lost)
        if taken_up := [partition for partition in mine if partition not in self._sampled]:
            self._sampled |= await self._history.counters.last(taken_up)
        if not self._sampled:
            return
        now = await self._history.counters.now(self._looked_at(sorted(self._sampled)))
        changed = {partition: figures for partition, figures in now.items() if figures != self._sampled[partition]}
        self._busy = changed.keys()
        if not changed:
            return
        grew = [grown(self._sampled[partition], figures) for partition, figures in changed.items()]
        await self._history.fleet.add(now_ms, total(grew))
        self._sampled |= changed
        await self._history.counters.keep(changed)

    def _looked_at(self, mine: Sequence[int]) -> Sequence[int]:
        """All of them, unless they are many: then those where something happens, and of the others each in its turn."""
        busy = (self._busy | self._tallies.partitions()) & set(mine)
        idle = [partition for partition in mine if partition not in busy]
        if len(idle) > IDLE_AT_ONCE:
            self._turn %= len(idle)
            idle, self._turn = (idle[self._turn :] + idle)[:IDLE_AT_ONCE], self._turn + IDLE_AT_ONCE
        return sorted(busy) + idle

    async def _sample_lanes(self, now_ms: int) -> None:
        taken = self._tallies.take(LANES_AT_ONCE)
        if not taken or not self._lanes_bytes:
            return
        try:
            await self._open_spans(taken, now_ms)
            slots = [self._grown_slot(lane, one, taken[lane]) for lane in taken for one in LANE]
        except BaseException:
            self._tallies.put_back(taken)
            raise
        try:
            await self._history.lanes.write(slots)
        except BaseException:
            for slot in slots:
                self._open[slot.lane, slot.resolution].fresh |= slot.fresh
            self._tallies.put_back({lane: no_figures() for lane in taken})  # written whole with the next sample
            raise

    async def _open_spans(self, lanes: Collection[LaneKey], now_ms: int) -> None:
        """Have a span of each resolution at hand for these, going on with what is kept of it already."""
        missing = []
        for lane in lanes:
            for resolution in LANE:
                span, known = resolution.span_at(now_ms), self._open.get((lane, resolution))
                if known is None or known.span != span:
                    missing.append((lane, resolution, span))
                else:
                    known.touched_ms = now_ms
        if not missing:
            return
        kept = await self._history.lanes.read_slots(missing)
        for (lane, resolution, span), figures in zip(missing, kept, strict=True):
            self._open[lane, resolution] = _Open(span, figures or no_figures(), figures is None, now_ms)

    def _grown_slot(self, lane: LaneKey, resolution: Resolution, more: Figures) -> Slot:
        known = self._open[lane, resolution]
        add(known.figures, more)
        fresh, known.fresh = known.fresh, False
        return Slot(lane, resolution, known.span, known.figures, fresh)

    async def _trim(self, now_ms: int) -> None:
        self._forget(lambda _, known: now_ms - known.touched_ms >= FORGOTTEN_MS)
        for partition in sorted(self._owned()) if self._lanes_bytes else ():
            if gone := await self._history.lanes.trim(partition, self._lanes_bytes, now_ms):
                log.info("history trimmed", partition=partition, rings=gone)

    def _forget(self, which: Callable[[LaneKey, _Open], bool]) -> None:
        self._open = {place: known for place, known in self._open.items() if not which(place[0], known)}

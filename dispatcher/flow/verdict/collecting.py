"""Collects a snapshot: what is seen now, beside what this process remembers from its last looks. Judges nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dispatcher.flow.verdict.probing import Probes
from dispatcher.flow.verdict.sources import Sources
from dispatcher.flow.verdict.working import Ownership
from dispatcher.model.operational import OPERATIONS
from dispatcher.model.troubles import (
    FlowFacts,
    IntegrityFacts,
    Issue,
    Snapshot,
    StoreFacts,
    StuckJob,
    TroubledLane,
    UpkeepFacts,
)
from dispatcher.policy.verdict.trends import Reading, Trends
from dispatcher.store.health.loss import Loss
from dispatcher.store.queue.watching.troubles import Pulse

NAMED = 400
"""Integrations whose name is looked up, those with most waiting first."""
LOSS_MATTERS_MS = 86_400_000
BACKLOG_WITHIN_MS = 600_000


@dataclass(slots=True)
class Collector:
    """One per process that judges."""

    sources: Sources
    trends: Trends = field(default_factory=Trends)
    ownership: Ownership = field(default_factory=Ownership)
    probes: Probes = field(default_factory=Probes)
    _broken: tuple[int, int] | None = None
    """Since when the counts do not agree, and by how many."""
    _repairs: tuple[int, int] | None = None
    """Repairs as last counted, and when they grew (0 = not since this process looks)."""
    _archive_away_ms: int | None = None
    _jobs: dict[str, StuckJob] = field(default_factory=dict)

    async def snapshot(self) -> Snapshot:
        """Everything at this moment, asked for together where one answer does not wait for another.

        Raises ``StoreUnavailable``.
        """
        sources = self.sources
        pulses, issues, probes, workers, losses = await asyncio.gather(
            sources.troubles.pulses(),
            self._issues(),
            self.probes.facts(sources),
            sources.workers(),
            sources.losses(),
        )
        now_ms = max(pulse.now_ms for pulse in pulses)
        lanes = [lane async for lane in sources.troubles.lanes([one.partition for one in pulses if one.troubled])]
        own = next((lane for lane in lanes if lane.integration_id == OPERATIONS), None)
        lanes = await self._named([lane for lane in lanes if lane is not own])
        counters = self._read(pulses, lanes, now_ms)
        (emits, failed), paused, upkeep = await asyncio.gather(
            sources.verdicts.emits(now_ms), sources.paused_types(now_ms), self._upkeep(own, now_ms)
        )
        oldest = [one.claimable_since_ms for one in pulses if one.claimable_since_ms is not None]
        return Snapshot(
            at_ms=now_ms,
            figures=self.trends.figures(min(oldest, default=None)),
            lanes=tuple(lanes),
            issues=tuple(issues),
            workers=self.ownership.facts(pulses, workers, now_ms),
            store=self._store(now_ms),
            integrity=self._integrity(pulses, counters, losses, now_ms),
            flow=self._flow(pulses, emits, failed),
            probes=tuple(probes),
            upkeep=upkeep,
            paused_types=tuple(paused),
            disable_after_ms=sources.disable_after_ms,
        )

    def _read(self, pulses: Sequence[Pulse], lanes: Sequence[TroubledLane], now_ms: int) -> Counter[str]:
        counters: Counter[str] = Counter()
        for pulse in pulses:
            counters.update(pulse.counters)
        held = sum(pulse.awaiting for pulse in pulses) + sum(lane.waiting for lane in lanes)
        backlog = max(0, sum(pulse.open for pulse in pulses) - held)
        self.trends.add(Reading(now_ms, counters, backlog, self.sources.pressure.memory.used_bytes))
        return counters

    async def _named(self, lanes: list[TroubledLane]) -> list[TroubledLane]:
        lanes.sort(key=lambda lane: (-lane.waiting, lane.integration_id))
        named = []
        for lane in lanes[:NAMED]:
            found = await self.sources.cache.integration(lane.integration_id)
            named.append(replace(lane, name=found.name, vendor_id=found.vendor_id) if found else lane)
        return named + lanes[NAMED:]

    async def _issues(self) -> list[Issue]:
        issues = [one for one in await self.sources.troubles.issues() if one.integration_id != OPERATIONS]
        issues.sort(key=lambda one: (one.acknowledged, -one.count, one.first_ms))
        named = []
        for issue in issues[:NAMED]:
            found = await self.sources.cache.integration(issue.integration_id) if issue.integration_id else None
            named.append(replace(issue, name=found.name, vendor_id=found.vendor_id) if found else issue)
        return named + issues[NAMED:]

    def _store(self, now_ms: int) -> StoreFacts:
        pressure = self.sources.pressure
        limit = pressure.memory.limit_bytes * (self.sources.high_water or 1.0)
        return StoreFacts(None, pressure.memory.ratio, pressure.full, self.trends.full_in_ms(limit), now_ms)

    def _integrity(
        self, pulses: Sequence[Pulse], counters: Counter[str], losses: Sequence[Loss], now_ms: int
    ) -> IntegrityFacts:
        latest = max(losses, key=lambda loss: loss.noticed_ms, default=None)
        lost = latest if latest is not None and now_ms - latest.noticed_ms < LOSS_MATTERS_MS else None
        imbalance = sum(pulse.imbalance for pulse in pulses) or max((one.imbalance for one in pulses), key=abs)
        before, self._broken = self._broken, ((self._broken or (now_ms, 0))[0], imbalance) if imbalance else None
        repairs = sum(n for name, n in counters.items() if name.startswith("repairs:"))
        known, grew_ms = self._repairs or (repairs, 0)
        self._repairs = (repairs, now_ms if repairs > known else grew_ms)
        return IntegrityFacts(
            lost_ms=lost.noticed_ms if lost else None,
            lost_text=lost.text if lost else "",
            broken_since_ms=before[0] if before and self._broken else None,
            broken_by=imbalance,
            repairs=repairs,
            repaired_ms=self._repairs[1] or None,
        )

    def _flow(self, pulses: Sequence[Pulse], emits: int, failed: int) -> FlowFacts:
        late = [pulse.late_since_ms for pulse in pulses if pulse.late_since_ms is not None and pulse.late]
        hourly = self.trends.grew("terminal:FAILED", 3_600_000)
        span_ms = self.trends.readings[-1].at_ms - self.trends.readings[0].at_ms
        refused = self.trends.grew("terminal:FAILED", BACKLOG_WITHIN_MS)
        usual = (hourly - refused) * BACKLOG_WITHIN_MS / max(1, span_ms - BACKLOG_WITHIN_MS)
        return FlowFacts(
            overdue=sum(pulse.late for pulse in pulses),
            overdue_since_ms=min(late, default=None),
            backlog=self.trends.readings[-1].backlog,
            growing_since_ms=self.trends.growing_since_ms(),
            drain_ms=self.trends.drain_ms(),
            emits=emits,
            emits_failed=failed,
            accepted=self.trends.grew("accepted", 300_000),
            died=sum(pulse.died for pulse in pulses),
            refused=refused if span_ms > 2 * BACKLOG_WITHIN_MS else 0,
            refused_usually=max(0.0, usual),
        )

    async def _upkeep(self, own: TroubledLane | None, now_ms: int) -> UpkeepFacts:
        sources = self.sources
        updates, away, stale_values, redeliveries, set_aside = await asyncio.gather(
            sources.updates(),
            sources.archive_trouble(),
            sources.stale_values(),
            sources.redeliveries(),
            sources.set_aside(),
        )
        self._archive_away_ms = (self._archive_away_ms or now_ms) if away else None
        return UpkeepFacts(
            clock_skew_ms=sources.skew_ms(),
            stale_values=stale_values or 0,
            updates=updates.count,
            oldest_update=updates.oldest,
            redeliveries=self._stuck(redeliveries, now_ms),
            operations_failing_since_ms=own.failing_since_ms if own else None,
            operations_waiting=own.waiting if own else 0,
            set_aside=tuple(set_aside),
            archive_away=away or "",
            archive_away_since_ms=self._archive_away_ms,
        )

    def _stuck(self, jobs: Sequence[StuckJob], now_ms: int) -> tuple[StuckJob, ...]:
        """Running jobs, with the moment since which each stands where it is."""
        known, self._jobs = self._jobs, {}
        for job in jobs:
            before = known.get(job.id)
            stands = before is not None and (before.done, before.total) == (job.done, job.total)
            self._jobs[job.id] = before if stands and before else replace(job, since_ms=now_ms)
        return tuple(self._jobs.values())

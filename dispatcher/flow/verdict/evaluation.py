"""Judges every few seconds in the one process whose turn it is; all others read what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from dispatcher.flow.verdict.collecting import Collector
from dispatcher.model.operational import Notify
from dispatcher.model.troubles import Snapshot
from dispatcher.model.verdict import Verdict
from dispatcher.policy.verdict import acknowledged, verdict
from dispatcher.policy.verdict.lanes import FAILING_IN_A_ROW
from dispatcher.policy.verdict.news import news
from dispatcher.store.health.verdicts import VerdictStore

EVERY_S = 5.0

Disable = Callable[[str, int], Awaitable[bool]]
"""Disables an integration that has failed since a moment; False when it does not fail since then."""

log = structlog.get_logger("verdict")


@dataclass(slots=True)
class Evaluation:
    """One per process. ``last`` is kept for the time when the store is away."""

    process: str
    verdicts: VerdictStore
    collector: Collector
    notify: Notify
    disable: Disable
    last: Verdict | None = None
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def once(self) -> None:
        """Judge if it is this process's turn, else remember what was said. Raises ``StoreUnavailable``."""
        if await self.verdicts.take_turn(self.process):
            await self.judge()
        else:
            self.last = await self.verdicts.read() or self.last

    async def judge(self, *, out_of_turn: bool = False) -> Verdict:
        """One verdict, written down and told. ``out_of_turn``: somebody waits for what they just changed."""
        async with self._judging:
            return await self._judge(out_of_turn=out_of_turn)

    async def _judge(self, *, out_of_turn: bool) -> Verdict:
        seen, previous, known = await asyncio.gather(
            self.collector.snapshot(), self.verdicts.read(), self.verdicts.known()
        )
        said = verdict(seen, acknowledged(previous, known) if previous else None, seen.at_ms)
        await self.verdicts.write(said, self.process, out_of_turn=out_of_turn)
        await self.verdicts.forget(known.keys() - {problem.id for problem in said.problems})
        self.last = said
        for event in news(previous, said, seen):
            self.notify(event)
        await self._disable_hopeless(seen)
        return said

    async def _disable_hopeless(self, seen: Snapshot) -> None:
        after_ms = seen.disable_after_ms
        for lane in seen.lanes if after_ms else ():
            since_ms = lane.failing_since_ms
            if since_ms is None or after_ms is None or seen.at_ms - since_ms < after_ms:
                continue
            if lane.disabled_ms is not None or lane.pause is not None or lane.failures_in_a_row < FAILING_IN_A_ROW:
                continue
            if await self.disable(lane.integration_id, since_ms):
                log.warning("integration disabled", integration_id=lane.integration_id, failing_since_ms=since_ms)

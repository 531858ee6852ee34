"""The verdict while the API runs: judged every few seconds, served from the store, from memory while that is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.verdict.evaluation import EVERY_S, Evaluation
from dispatcher.model.verdict import Verdict
from dispatcher.periodic import every
from dispatcher.policy.verdict import away
from dispatcher.policy.verdict.fleet import AWAY_MS

COUNTED_S = 60.0


@dataclass(slots=True)
class EmitCounts:
    """Emits of the last minute, and those that failed by our fault. Seconds of the steady clock."""

    emits: int = 0
    failed: int = 0
    _spans: deque[tuple[float, int, int]] = field(default_factory=deque)

    def count(self, status: int) -> None:
        self.emits += 1
        self.failed += status >= 500

    def of_last_minute(self, now_s: float) -> tuple[int, int]:
        """Takes what was counted since the last call into a span of its own."""
        self._spans.append((now_s, self.emits, self.failed))
        self.emits = self.failed = 0
        while self._spans and now_s - self._spans[0][0] > COUNTED_S:
            self._spans.popleft()
        return sum(span[1] for span in self._spans), sum(span[2] for span in self._spans)


@dataclass(slots=True)
class VerdictWatch:
    """One per process."""

    evaluation: Evaluation
    emits: EmitCounts
    now_ms: Callable[[], int]
    away_since_ms: int | None = None

    async def once(self) -> None:
        """One look. Raises ``StoreUnavailable`` and remembers since when."""
        try:
            loop_s, process = asyncio.get_running_loop().time(), self.evaluation.process
            emits, failed = self.emits.of_last_minute(loop_s)
            await self.evaluation.verdicts.say_emits(process, emits, failed, self.now_ms())
            await self.evaluation.once()
        except StoreUnavailable:
            self.away_since_ms = self.away_since_ms or self.now_ms()
            raise
        self.away_since_ms = None

    async def current(self) -> tuple[Verdict | None, bool]:
        """The verdict, and whether the store is there. None = nobody has judged yet."""
        now_ms = self.now_ms()
        if self.away_since_ms is None or now_ms - self.away_since_ms < AWAY_MS:
            with contextlib.suppress(StoreUnavailable):
                return await self.evaluation.verdicts.read(), True
            self.away_since_ms = self.away_since_ms or now_ms
        return away(self.evaluation.last, self.away_since_ms, now_ms), False

    def remembered(self) -> Verdict | None:
        """The verdict as of the last look, a few seconds ago: for those who ask often."""
        now_ms = self.now_ms()
        if self.away_since_ms is None or now_ms - self.away_since_ms < AWAY_MS:
            return self.evaluation.last
        return away(self.evaluation.last, self.away_since_ms, now_ms)


VERDICT = web.AppKey("verdict", VerdictWatch)


async def judging(app: web.Application) -> AsyncIterator[None]:
    """Judges for as long as the app runs."""
    stop, watch = asyncio.Event(), app[VERDICT]
    task = asyncio.create_task(every(EVERY_S, watch.once, stop, name="verdict"), name="verdict")
    yield
    stop.set()
    await task
    with contextlib.suppress(StoreUnavailable):
        await watch.evaluation.verdicts.give_turn_up(watch.evaluation.process)

"""Event types that are paused, as of the last second. Sends and settles nothing."""

from __future__ import annotations

import random

from dispatcher.clock import Clock
from dispatcher.model.event_type import EventType
from dispatcher.store.queue.views.paused_types import PausedTypes

EVERY_S = 1.0
AGAIN_S = 10.0
"""Between two looks at a held event, more or less: so long after a resume the last one goes on."""


class HeldTypes:
    """One per worker process."""

    def __init__(self, pauses: PausedTypes, clock: Clock) -> None:
        self._pauses = pauses
        self._clock = clock
        self.until_ms: dict[EventType, float] = {}
        """The end of each pause, in epoch milliseconds; nearly always there is none."""

    async def once(self) -> None:
        """Read them anew."""
        found = await self._pauses.all(self._clock.now_ms())
        self.until_ms = {one.kind: one.pause.until_ms or float("inf") for one in found}

    def wait_s(self, kind: EventType) -> float | None:
        """Time after which an event of that type is looked at again; None = it may be sent."""
        until_ms = self.until_ms.get(kind)
        left_s = 0.0 if until_ms is None else (until_ms - self._clock.now_ms()) / 1000
        return min(left_s, AGAIN_S * random.uniform(0.5, 1.0)) if left_s > 0 else None  # noqa: S311 - spreads work

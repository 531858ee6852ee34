"""History of the whole fleet: figures of each second, minute and hour, in rings that all workers add to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatcher.policy.figures.history import FLEET, Window
from dispatcher.policy.figures.tally import Figures
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, reply_of, script

_ADD = script("history/add")
_RINGS = [keys.fleet_history(resolution.name) for resolution in FLEET]


class FleetHistory:
    """Raises ``StoreUnavailable`` when Redis did not answer, or has no room."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def add(self, now_ms: int, figures: Sequence[int]) -> None:
        """Add to the spans that ``now_ms`` is in: all of them in one step."""
        places = []
        for resolution in FLEET:
            turn, slot = resolution.place(resolution.span_at(now_ms))
            places += [slot, turn]
        await reply_of(self._client, _ADD.call(_RINGS, len(figures), *figures, *places))

    async def read(self, seen: Window) -> list[tuple[int, Figures]]:
        """Spans within a window that have figures, in no order. One round trip."""
        with guarded():
            ring: Any = await self._client.hgetall(keys.fleet_history(seen.resolution.name))  # type: ignore[misc]
        return list(_spans(ring, seen))


def _spans(ring: dict[bytes, bytes], seen: Window) -> Iterator[tuple[int, Figures]]:
    first, end = seen.resolution.span_at(seen.from_ms), seen.resolution.span_at(seen.to_ms)
    for slot, kept in ring.items():
        turn, _, figures = kept.partition(b":")
        span = seen.resolution.span_of(int(turn), int(slot))
        if first <= span < end:
            yield span, [int(n) for n in figures.split(b",")] if figures else []

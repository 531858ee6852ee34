"""Decides from what is seen of workers which of them are lost. Never from silence alone.

A killed worker's connections end with it, at once; a frozen, blocked or slow one keeps its own. So a worker is lost
when it was heard listening, listens no more, and nothing of it has moved for two heartbeats: neither these nor a lease.
Whatever cannot be seen that way (a machine or a network that is gone) is left to the end of the lease.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dispatcher.model.lease import Lease

STILL_MS = 600
"""Time between two looks that see the same of a worker, so that it counts as lost: one that lives beats meanwhile."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The last that is known of a worker: its heartbeat, and its leases."""

    beat_ms: int
    leases: frozenset[Lease]


class Watch:
    """Of one worker over the others. Told of each look in turn; forgets all when it is not heard itself."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._heard: set[str] = set()
        """Those that were heard since this worker is heard itself, where this worker listens."""
        self._seen: dict[str, tuple[Trace, int]] = {}
        """Those that fell silent: what is seen of them, and since when (ms)."""

    def silent(self, listening: Collection[str], known: Collection[str]) -> set[str]:
        """Those of ``known`` that listened and do not now; nobody while this worker itself is not heard.

        Then its connection is new, as after a fail-over, and the others' may be on the way.
        """
        if self._worker_id not in listening:
            self._heard.clear()
            self._seen.clear()
            return set()
        self._heard = (self._heard | {*listening}) & {*known}
        return self._heard - {*listening}

    def lost(self, traces: Mapping[str, Trace], now_ms: int) -> set[str]:
        """Those of the silent of this look who have shown the same for ``STILL_MS``, by the store's clock."""
        self._seen = {worker: (trace, self._since(worker, trace, now_ms)) for worker, trace in traces.items()}
        return {worker for worker, (_, since_ms) in self._seen.items() if now_ms - since_ms >= STILL_MS}

    def _since(self, worker: str, trace: Trace, now_ms: int) -> int:
        before = self._seen.get(worker)
        return before[1] if before and before[0] == trace else now_ms

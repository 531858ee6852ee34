"""Decides from what is seen of workers which of them are lost. Never from silence alone.

A killed worker's connections end with it, at once; a frozen, blocked or slow one keeps its own. So a worker is lost
when it was heard listening, listens no more, and nothing of it has moved for some looks: neither heartbeat nor lease.
Whatever cannot be seen that way (a machine or a network that is gone) is left to the end of the lease.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dispatcher.model.lease import Lease

LOOKS = 3
"""Looks at which a worker shows the same, before it counts as lost."""


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
        """Those that fell silent: what was seen of them, and at how many looks in a row."""

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

    def lost(self, traces: Mapping[str, Trace]) -> set[str]:
        """Those of the silent of this look who have shown the same at ``LOOKS`` looks."""
        self._seen = {worker: (trace, self._times(worker, trace)) for worker, trace in traces.items()}
        return {worker for worker, (_, times) in self._seen.items() if times >= LOOKS}

    def _times(self, worker: str, trace: Trace) -> int:
        before = self._seen.get(worker)
        return before[1] + 1 if before and before[0] == trace else 1

"""Workers as heartbeats and leases tell of them, and since when there are none. Remembers each look; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatcher.model.queue import WorkerView
from dispatcher.model.troubles import WorkerFacts
from dispatcher.store.queue.watching.troubles import Pulse

SILENT_MS = 10_000


@dataclass(slots=True)
class Ownership:
    """One per process that judges."""

    _noticed: dict[int, int] = field(default_factory=dict)
    """Partition → when it was first seen without an owner."""
    _nobody_ms: int | None = None

    def facts(self, pulses: Sequence[Pulse], workers: Sequence[WorkerView], now_ms: int) -> WorkerFacts:
        heard = [one.last_seen_ms for one in workers]
        alive = sum(now_ms - seen_ms <= SILENT_MS for seen_ms in heard)
        ownerless = [one for one in pulses if one.open - one.awaiting > 0 and not _owned(one)]
        self._noticed = {one.partition: self._noticed.get(one.partition, now_ms) for one in ownerless}
        if alive:
            self._nobody_ms = None
            since = [max(self._last_owned(one), 0) for one in ownerless]
            waiting = sum(one.open - one.awaiting for one in ownerless)
            return WorkerFacts(alive, min(since, default=None), waiting, len(ownerless))
        if heard:
            self._nobody_ms = max(heard)
        elif self._nobody_ms is None:
            leases = [one.lease_until_ms for one in pulses if 0 < one.lease_until_ms <= now_ms]
            self._nobody_ms = max(leases, default=now_ms)
        waiting = sum(one.open - one.awaiting for one in pulses)
        return WorkerFacts(0, self._nobody_ms, waiting, len(ownerless))

    def _last_owned(self, pulse: Pulse) -> int:
        """The end of its last lease, else when it was first seen without an owner."""
        return pulse.lease_until_ms or self._noticed[pulse.partition]


def _owned(pulse: Pulse) -> bool:
    return bool(pulse.owner) and pulse.lease_until_ms > pulse.now_ms

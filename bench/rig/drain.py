"""Watches a drain: rate and CPU of its steady part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.rig.jobs import cpu_s
from dispatcher.cli.bench.children import ChildFailed
from dispatcher.cli.bench.sink_client import Sink

POLL_S = 0.02
FROM, TO = 0.15, 0.95
"""The steady part of a drain: connections are made before it, the last stragglers come after it."""


@dataclass(frozen=True, slots=True)
class Drain:
    """``cpu_us`` per arrival, by the name of the process."""

    rate_per_s: float
    cpu_us: Mapping[str, float] = field(default_factory=dict)


async def watch(
    sink: Sink, expected: int, pids: Mapping[str, int], *, begin: float = FROM, within_s: float = 120.0
) -> Drain:
    """Until ``TO`` of ``expected`` have arrived since the reset. Raises ``ChildFailed`` when they do not come."""
    first, last = int(expected * begin), int(expected * TO)
    deadline_s = time.monotonic() + within_s
    started: tuple[int, dict[str, float]] | None = None
    while (count := await sink.count()) < last:
        if started is None and count >= first:
            started = (count, _cpu(pids))
        if time.monotonic() > deadline_s:
            raise ChildFailed(f"only {count} of {expected} events arrived in {within_s:g} s")
        await asyncio.sleep(POLL_S)
    ended = _cpu(pids)
    times_s = await sink.times_s()
    rate = (last - 1 - first) / (times_s[last - 1] - times_s[first])
    if started is None:
        return Drain(rate)
    events = count - started[0]
    return Drain(rate, {name: (ended[name] - used) / events * 1e6 for name, used in started[1].items()})


def _cpu(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: cpu_s(pid) for name, pid in pids.items()}

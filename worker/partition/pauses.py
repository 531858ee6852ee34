"""Pauses between rounds of an owner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

from dispatcher.clock import Seconds
from worker.partition.owned_partition import OwnedPartition, ended_in, running_in

BUSY_GATHERS = 4
GATHER_S = 0.002
"""Minimum pause between rounds while more than ``FEW`` or a run is under way; up to ``BUSY_GATHERS`` times that again
with all slots taken."""
FEW = 16
"""Attempts up to which each is settled as it ends: the next event of an account waits for nothing else."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
"""Between rounds while the store is away."""
IDLE_S = 1.0
"""Longest time between two claims of an idle owner, should a nudge be lost."""


async def gather(
    partitions: Collection[OwnedPartition], concurrency: int, begun: float, now: Seconds, run_ended: asyncio.Event
) -> None:
    """Wait shortly for more outcomes: Redis settles many for the price of a few. ``begun``: when the last round did.

    When ``run_ended`` is set, the first pause ends.
    """
    await _at_most(GATHER_S - (now() - begun), run_ended)
    in_flight = running_in(partitions)
    for _ in range(min(BUSY_GATHERS, BUSY_GATHERS * in_flight // concurrency)):
        if ended_in(partitions) >= running_in(partitions):
            return
        await asyncio.sleep(GATHER_S)


async def _at_most(pause_s: float, event: asyncio.Event) -> None:
    event.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, pause_s)):
            await event.wait()

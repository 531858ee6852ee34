"""Figures of each partition at its last sample, so that nothing between two owners is missing from the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dispatcher.policy.figures.tally import Figures, from_counters, no_figures
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.scripts import Client, each_command, each_of, fields_of


class SampledCounters:
    """Raises ``StoreUnavailable`` when no partition can be read."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def now(self, partitions: Sequence[int]) -> dict[int, Figures]:
        """Figures of the counters as they are; a partition that cannot be read is left out. One round trip."""
        commands = [("HGETALL", keys.counters(partition)) for partition in partitions]
        return {
            partition: from_counters({name.decode(): int(n) for name, n in fields_of(counts).items()})
            for partition, counts in zip(partitions, await each_command(self._client, commands), strict=True)
            if not isinstance(counts, Exception)
        }

    async def last(self, partitions: Sequence[int]) -> dict[int, Figures]:
        """Figures at the last sample, of whichever worker took it. One round trip."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in partitions:
            pipeline.get(keys.sampled(partition))
        return {
            partition: _read(kept)
            for partition, kept in zip(partitions, await each_of(pipeline), strict=True)
            if not isinstance(kept, Exception)
        }

    async def keep(self, sampled: Mapping[int, Sequence[int]]) -> None:
        """Note these as sampled; one round trip."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition, figures in sampled.items():
            pipeline.set(keys.sampled(partition), ",".join(str(n) for n in figures))
        await each_of(pipeline)


def _read(kept: bytes | None) -> Figures:
    figures = no_figures()
    for place, n in enumerate((kept or b"").split(b",")[: len(figures)]):
        figures[place] = int(n or 0)
    return figures

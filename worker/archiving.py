"""Archives what ended long ago in the partitions that this process owns: a segment a second, beside delivering.

Off without an archive. Whatever goes wrong, events stay in Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from dispatcher.clock import Seconds
from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.trouble import clear, note
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.archive.upkeep.writing import ArchiveWriter, Step
from worker.partition.owned_partition import OwnedPartition, running_in

EVERY_S = 1.0
IDLE_S = 300.0
"""Until a partition that had nothing more is looked through again."""
STEPS_IDLE = 8
"""In one turn, while no attempt runs."""
AWAY_S = 120.0
"""Until an archive that is away is tried again: it is one for all partitions."""
SWEEP_S = 3600.0

log = structlog.get_logger("archive")


class Archiving:
    """One per worker with an archive."""

    def __init__(
        self, writer: ArchiveWriter, owned: Callable[[], Mapping[int, OwnedPartition]], steady: Seconds, worker_id: str
    ) -> None:
        self._writer = writer
        self._owned = owned
        self._steady = steady
        self._worker_id = worker_id
        self._away_until_s = 0.0
        self._due_s: dict[int, float] = {}
        self._swept_s: dict[int, float] = {}
        self._noted = True
        """A trouble of this process, or of the one before it: the first success ends both."""

    async def once(self) -> None:
        """One step in the partition that waits longest; more of them while nothing is delivered.

        Nothing for a while after the archive was away, which is a warning.
        """
        if self._steady() < self._away_until_s:
            return
        try:
            await self._steps()
        except ArchiveUnavailable as error:
            self._away_until_s = self._steady() + AWAY_S
            log.warning("archive away", error=str(error), retry_in_s=AWAY_S)

    async def _steps(self) -> None:
        for _ in range(STEPS_IDLE):
            if not await self._turn() or running_in(self._owned().values()):
                return

    async def _turn(self) -> bool:
        """False: nothing more is due now."""
        now_s, owned = self._steady(), self._owned()
        due = [number for number, one in owned.items() if not one.unconfirmed and self._due_s.get(number, 0.0) <= now_s]
        if not due:
            return False
        partition = min(due, key=lambda number: self._due_s.get(number, 0.0))
        generation = owned[partition].generation
        self._due_s[partition] = now_s + AWAY_S
        step = await self._step(partition, generation)
        if step.archived:
            log.debug("archived", partition=partition, events=step.archived)
        if step.more:
            self._due_s[partition] = now_s
            return True
        if now_s - self._swept_s.get(partition, -SWEEP_S) >= SWEEP_S:
            self._swept_s[partition] = now_s
            await sweep(self._writer.archive, partition, generation)
        self._due_s[partition] = now_s + IDLE_S
        return True

    async def _step(self, partition: int, generation: int) -> Step:
        """One step; everybody is told of an archive that is away, and that it is back."""
        client = self._writer.archive.client
        try:
            step = await self._writer.step(partition, generation)
        except ArchiveUnavailable as error:
            self._noted = True
            await note(client, error, self._worker_id)
            raise
        if self._noted:
            self._noted = False
            await clear(client)
        return step

"""Rounds of the nodes of a cluster, side by side: one that is slow to answer holds up its own partitions alone.

On one server there is one round at a time, and nothing of this. Knows nothing of what a round asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.store.redis.scripts import Call
from worker.partition.holdings import Holdings
from worker.partition.owned_partition import Allotment, Batch, OwnedPartition

PATIENT_S = 0.1
"""Time in which the nodes that answer usually do; then the owner goes on without the others."""

Settle = tuple[OwnedPartition, Batch, Call]


class Part(NamedTuple):
    """Partitions that are asked together, and what is asked of them."""

    group: list[OwnedPartition]
    settles: list[Settle]
    claims: list[Allotment]

    @property
    def asked(self) -> list[OwnedPartition]:
        """Those whose keys the request may change."""
        return [owned for owned, _, _ in self.settles] + [owned for owned, _ in self.claims]

    @classmethod
    def of(cls, group: list[OwnedPartition], settles: list[Settle], claims: list[Allotment]) -> Part:
        """``group``, with what is its own of all that is asked."""
        return cls(group, [one for one in settles if one[0] in group], [one for one in claims if one[0] in group])


Ask = Callable[[Part], Coroutine[Any, Any, bool]]
"""The round of a part: True when there was something to do."""

log = structlog.get_logger("owner")


class Beside:
    """One per owner."""

    def __init__(self, holdings: Holdings, wake: Callable[[], None]) -> None:
        """``wake`` is called when a round has ended that nobody waited for any more."""
        self._holdings = holdings
        self._wake = wake
        self._under_way: set[asyncio.Task[bool | StoreUnavailable]] = set()

    async def run(self, parts: Iterable[Part], ask: Ask) -> bool:
        """Begin the round of each; True when there was something to do in one that has ended.

        Raises ``StoreUnavailable`` when that is what came of all partitions.
        """
        tasks = [asyncio.create_task(self._round(part, ask)) for part in parts]
        if not tasks:
            return False
        self._under_way.update(tasks)
        for task in tasks:
            task.add_done_callback(self._under_way.discard)
        ended, _ = await asyncio.wait(tasks, timeout=PATIENT_S)
        results = [task.result() for task in ended]
        away = [one for one in results if isinstance(one, StoreUnavailable)]
        if away and len(away) == len(results) and not self._under_way:
            raise away[0]
        return any(one is True for one in results)

    async def end(self, within_s: float) -> None:
        """Wait for what is under way, and give up what has not ended then."""
        if not self._under_way:
            return
        await asyncio.wait(self._under_way, timeout=max(0.0, within_s))
        slow = list(self._under_way)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    async def _round(self, part: Part, ask: Ask) -> bool | StoreUnavailable:
        for owned in part.group:
            owned.asked = True
        for owned, most in part.claims:
            owned.requested = most
        try:
            return await ask(part)
        except StoreUnavailable as error:
            numbers = [owned.partition for owned in part.group]
            log.warning("part of the store unavailable", partitions=numbers, error=str(error))
            for owned in part.group:
                self._holdings.pause(owned)
            return error
        except Exception as error:
            for owned in part.group:
                self._holdings.set_aside(owned, error)
            return False
        finally:
            for owned in part.group:
                owned.asked, owned.requested = False, 0
            self._wake()

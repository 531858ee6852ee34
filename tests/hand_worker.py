"""A worker that a test moves by hand, step by step, through the store's own scripts: grant, own, claim, settle.

Holds no test.
"""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.ids import partition_of_event
from dispatcher.store.queue.owning.claims import Claim, Claimed, LaneSetting, Move, Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.redis.scripts import Client

RETENTION_MS = 3_600_000
GRANT_MS = 3000
"""Time that a granted partition waits to be owned."""


class HandWorker:
    """Every step asserts that it counts, unless its answer says whether it did."""

    def __init__(
        self,
        client: Client,
        partitions: int,
        *,
        name: str = "w1",
        retention_ms: int = RETENTION_MS,
        lease_ms: int = 60_000,
        lane_cap: int = 100,
        run: int = 1,
    ) -> None:
        self.name = name
        self.store = PartitionStore(
            client, partitions=partitions, retention_ms=retention_ms, lease_ms=lease_ms, lane_cap=lane_cap, run=run
        )
        self.generations: dict[int, int] = {}

    def partition_of(self, event_id: str) -> int:
        partition = partition_of_event(event_id, self.store.partitions)
        assert partition is not None
        return partition

    async def own(self, partition: int) -> int:
        """Take up a partition that nobody owns; answers its generation."""
        generation = await self.store.grant(partition, GRANT_MS)
        assert await self.store.own(partition, generation, self.name)
        self.generations[partition] = generation
        return generation

    async def claim(self, partition: int, at_most: int = 100) -> Claim:
        return (await self.claim_of_each([partition], at_most))[0]

    async def claim_of_each(self, partitions: Sequence[int], at_most: int = 100) -> list[Claim]:
        """In one round trip."""
        calls = [self.store.claim_call(partition, self.generations[partition], at_most) for partition in partitions]
        claims = [read_claim(reply) for reply in await self.store.round_trip(calls)]
        held = [claim for claim in claims if claim is not None]
        assert len(held) == len(partitions), "a generation is lost"
        return held

    async def take(self, event_id: str) -> Claimed:
        """This event and nothing else, of a partition that is taken up if it is not yet."""
        partition = self.partition_of(event_id)
        if partition not in self.generations:
            await self.own(partition)
        claim = await self.claim(partition)
        others = [one for one in claim.events if one.event.id != event_id]
        assert await self.settle(partition, [Settlement(one, Move.RELEASE) for one in others]) == len(others)
        return next(one for one in claim.events if one.event.id == event_id)

    async def settle(
        self,
        partition: int,
        settlements: Sequence[Settlement],
        settings: Sequence[LaneSetting] = (),
        *,
        counted: dict[str, int] | None = None,
        generation: int | None = None,
    ) -> int:
        """Number that counted; -1 = the generation is lost."""
        under = self.generations[partition] if generation is None else generation
        call = self.store.settle_call(partition, under, settlements, settings, counted)
        reply = (await self.store.round_trip([call]))[0]
        return int(reply[1]) if reply[0] == b"ok" else -1

    async def assert_well(self) -> None:
        report = await self.store.recount()
        assert report.well, report

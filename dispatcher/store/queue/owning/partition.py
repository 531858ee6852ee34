"""The queue as its workers see it: grant, own, claim, settle, rest, and the upkeep of what they own.

Every write names the generation under which it is made; one that lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from redis.crc import key_slot

from dispatcher.model.attempt import ClaimId
from dispatcher.model.queue import RecountReport
from dispatcher.model.status import TERMINAL
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement, SuspendedUrls
from dispatcher.store.queue.owning.codec import ClaimRequest, settle_arguments
from dispatcher.store.queue.owning.exchange import exchange, unless_failed
from dispatcher.store.queue.records import text
from dispatcher.store.queue.watching.recount import recount
from dispatcher.store.redis.cluster import LastingCluster
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, Call, Client, Script, each, each_command, run, script

LEASE_LEFT = 0.7
"""Share of a lease that every claim leaves: it is written anew only when less is left, since that takes a write."""
ANY_SIZE = 2**53
FORGOTTEN_AT_ONCE = 1000
"""Old dead letters that one command takes off their list: some 2 ms of Redis."""

RepairPosition = tuple[str, str]
"""End of a round of repairs: a cursor into the open events, and a position in the log."""
REPAIR_START: RepairPosition = ("0", "-")

_BEGUN = ("accepted", "notified", "reopened")
_COUNTS = (*_BEGUN, *(f"terminal:{status}" for status in sorted(TERMINAL)))
"""Counters of all that was ever open, and of its ends."""

_CLAIM = script("queue/claim")
_GRANT = script("queue/grant")
_OWN = script("queue/own")
_PART = script("queue/part")
_REPAIR = script("queue/repair")
_REPAIR_LANES = script("queue/repair_lanes")
_REST = script("queue/rest")
_SETTLE = script("queue/settle")


class PartitionStore:
    """Scripts of a worker. All methods raise ``StoreUnavailable`` when Redis did not answer."""

    def __init__(
        self,
        client: Client,
        *,
        partitions: int,
        retention_ms: int,
        lease_ms: int,
        lane_cap: int,
        run: int = 1,
        calm: Client | None = None,
    ) -> None:
        """``run``: events of one account that one claim hands out, at most.

        ``calm``: the client for what is looked at every second.
        """
        self._client = client
        self._calm = calm or client
        self._run = run
        self.partitions = partitions
        self._retention_ms = retention_ms
        self._lease_ms = lease_ms
        self._lane_cap = lane_cap

    async def grant(self, partition: int, within_ms: int) -> int:
        """A new generation for a partition without a live lease, else 0."""
        return int((await run(self._client, [_call(_GRANT, partition, within_ms)]))[0])

    async def grant_each(self, partitions: Collection[int], within_ms: int) -> dict[int, int]:
        """The same for many in one round trip; those that were granted one."""
        calls = [_call(_GRANT, partition, within_ms) for partition in partitions]
        replies = await self.round_trip(calls) if calls else []
        return {partition: int(reply) for partition, reply in zip(partitions, replies, strict=True) if reply}

    async def unowned(self, besides: Collection[int], now_ms: int) -> dict[int, int]:
        """Partitions that no worker holds a live lease for, with the generation last granted (0 = none).

        ``besides``: those that are not asked for.
        """
        asked = [partition for partition in range(self.partitions) if partition not in besides]
        if not asked:
            return {}
        commands = [("HMGET", keys.own(partition), "until", "gen") for partition in asked]
        return {
            partition: int(lease[1] or 0)
            for partition, lease in zip(asked, await each_command(self._calm, commands), strict=True)
            if not isinstance(lease, Exception) and float(lease[0] or 0) <= now_ms
        }

    async def own(
        self, partition: int, generation: int, owner: str, held: Iterable[ClaimId] = (), under: int = 0
    ) -> bool:
        """Take a granted partition up; False when the generation moved on. ``held``: claims still worked on.

        ``under``: the newer generation to go on under after a lost reply, never the same twice; 0 = as granted.
        """
        call = self.own_call(partition, generation, owner, held, under)
        return bool((await run(self._client, [call]))[0][0] == b"ok")

    def own_call(
        self, partition: int, generation: int, owner: str, held: Iterable[ClaimId] = (), under: int = 0
    ) -> Call:
        kept = [part for handle in held for part in handle]
        return _call(_OWN, partition, generation, under or generation, owner, self._lease_ms, *kept)

    async def rest(self, partition: int, generation: int) -> bool:
        """Let go; what is still claimed is due again at once."""
        return bool((await run(self._client, [self.rest_call(partition, generation)]))[0][0] == b"ok")

    def rest_call(self, partition: int, generation: int) -> Call:
        return _call(_REST, partition, generation)

    def part_call(self, partition: int, generation: int, held: Iterable[ClaimId] = ()) -> Call:
        """Let go, but of what is ``held``: that is settled under the same generation, whoever owns the partition then.

        To be repeated within a lease, with what is held then; without any it is over.
        """
        kept = [part for handle in held for part in handle]
        return _call(_PART, partition, generation, self._lease_ms, *kept)

    @property
    def one_server(self) -> bool:
        """False: in a cluster every node passes every message on."""
        return not isinstance(self._client, LastingCluster)

    def claim_call(
        self, partition: int, generation: int, at_most: int, at_most_bytes: int = ANY_SIZE, up_to: int = 0
    ) -> Call:
        """``up_to``: the number of events up to which accepts give them to the sleeping owner; 0 = none."""
        return _call(
            _CLAIM,
            partition,
            *ClaimRequest(
                generation,
                self._lease_ms,
                at_most,
                self._lane_cap,
                least_lease_ms=int(self._lease_ms * LEASE_LEFT),
                at_most_bytes=at_most_bytes,
                run=self._run,
                room=f"{generation} {up_to}" if up_to else "",
            ),
        )

    def settle_call(
        self,
        partition: int,
        generation: int,
        settlements: Sequence[Settlement],
        settings: Sequence[LaneSetting] = (),
        counted: dict[str, int] | None = None,
    ) -> Call:
        arguments = settle_arguments(generation, self._retention_ms, settlements, settings, counted or {})
        return _call(_SETTLE, partition, *arguments)

    def by_node(self, partitions: Iterable[int]) -> list[list[int]]:
        """Those that are asked together: all, or in a cluster those of one node."""
        if not isinstance(self._client, LastingCluster):
            return [list(partitions)]
        found: dict[str, list[int]] = {}
        for partition in partitions:
            found.setdefault(self._client.node_name(_slot_of(partition)), []).append(partition)
        return list(found.values())

    async def exchange(self, settles: Sequence[Call], claims: Sequence[Call]) -> tuple[list[Any], list[Any]]:
        """Settle and claim in one round trip, and in one call where Redis has all partitions; as ``round_trip``."""
        return await exchange(self._client, settles, claims)

    async def round_trip(self, calls: Sequence[Call]) -> list[Any]:
        """Call scripts of many partitions together; replies as the scripts gave them.

        None in the place of one that failed: a key of that partition is not what it should be, or its part of a cluster
        does not answer. Raises ``StoreUnavailable`` when none answers.
        """
        return unless_failed(calls, await each(self._client, calls))

    async def suspended_urls(self, partition: int, integration_id: str) -> SuspendedUrls:
        pipeline: Any = self._client.pipeline(transaction=False)
        pipeline.hkeys(keys.suspended_urls(partition, integration_id))
        pipeline.hkeys(keys.left_urls(partition, integration_id))
        pipeline.hkeys(keys.half_open_urls(partition, integration_id))
        with guarded():
            found = await pipeline.execute()
        return SuspendedUrls(*(frozenset(map(text, urls)) for urls in found))

    async def overdue_results(self, partitions: Iterable[int], now_ms: int, limit: int = 100) -> list[str]:
        """Ids of events whose result deadline has passed, up to ``limit`` of each partition."""
        until = "-inf", now_ms, "LIMIT", 0, limit
        commands = [("ZRANGEBYSCORE", keys.awaiting(partition), *until) for partition in partitions]
        due = [ids for ids in await each_command(self._calm, commands) if not isinstance(ids, Exception)]
        return [text(event_id) for ids in due for event_id in ids]

    async def trim(self, partition: int, now_ms: int) -> None:
        """Forget log and failures older than the retention time; the events themselves expire."""
        oldest = now_ms - self._retention_ms
        with guarded():
            await self._calm.xtrim(keys.event_log(partition), minid=oldest, approximate=True)
            await self._drop_old_issues(partition, oldest)
            for failures in (keys.dead, keys.failed, keys.expired):
                await self._forget(failures(partition), oldest)

    async def _forget(self, failures: str, oldest_ms: int) -> None:
        while old := await self._calm.zrangebyscore(failures, "-inf", oldest_ms, 0, FORGOTTEN_AT_ONCE):
            await self._calm.zrem(failures, *old)

    async def _drop_old_issues(self, partition: int, oldest_ms: int) -> None:
        """Of which the last event is forgotten."""
        kept: dict[bytes, bytes] = await self._calm.hgetall(keys.issues(partition))  # type: ignore[misc]
        if old := [field for field, value in kept.items() if int(value.split()[2]) < oldest_ms]:
            await self._calm.hdel(keys.issues(partition), *old)  # type: ignore[misc, arg-type]

    async def quiet(self, partitions: Sequence[int]) -> set[int]:
        """Those in which nothing is open, and as many events have ended as were accepted."""
        if not partitions:
            return set()
        counting = [("HMGET", keys.counters(partition), *_COUNTS) for partition in partitions]
        sizing = [("SCARD", keys.open_events(partition)) for partition in partitions]
        replies = await each_command(self._calm, [*counting, *sizing])
        found = zip(partitions, replies[: len(counting)], replies[len(counting) :], strict=True)
        return {partition for partition, counts, opened in found if _is_quiet(counts, opened)}

    async def repair(self, at: dict[int, RepairPosition], how_many: int = 500) -> dict[int, tuple[RepairPosition, int]]:
        """Check a slice of the open events and of the log of some partitions, and repair what is in no place.

        ``at``: per partition where the last call ended, at first ``REPAIR_START``. Returns where to go on, and the
        repairs made.
        """
        calls = [_call(_REPAIR, partition, *place, how_many) for partition, place in at.items()]
        return {
            partition: ((text(reply[0]), text(reply[1])), int(reply[2]))
            for partition, reply in zip(at, await self.round_trip(calls), strict=True)
            if reply is not None
        }

    async def repair_lanes(self, partitions: Iterable[int]) -> dict[int, int]:
        """Put the counters of lanes right where a key was lost that they count, and forget lanes in which nothing is.

        Returns repairs made, by partition.
        """
        numbers = list(partitions)
        replies = await self.round_trip([_call(_REPAIR_LANES, partition, self._lane_cap) for partition in numbers])
        return {partition: int(repairs) for partition, repairs in zip(numbers, replies, strict=True) if repairs}

    async def recount(self) -> RecountReport:
        """Recount everything: accepted = terminal + open, and every open event is in exactly one place."""
        return await recount(self._client, range(self.partitions))


def _is_quiet(counts: list[bytes | None] | Exception, opened: int | Exception) -> bool:
    if opened != 0 or isinstance(counts, Exception):
        return False
    numbers = [int(one or 0) for one in counts]
    return sum(numbers[: len(_BEGUN)]) == sum(numbers[len(_BEGUN) :])


@cache
def _slot_of(partition: int) -> int:
    return int(key_slot(keys.own(partition).encode()))


def _call(transition: Script, partition: int, *arguments: Argument) -> Call:
    return transition.call([keys.own(partition)], *arguments)

"""The queue as its workers see it: grant, own, claim, settle, rest, and the upkeep of what they own.

Every write names the generation under which it is made; one that lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
import structlog
from redis.exceptions import ResponseError

from dispatcher.model.attempt import Attempt
from dispatcher.model.event import Event, EventState
from dispatcher.model.queue import AuditReport
from dispatcher.model.status import Status
from dispatcher.store import keys
from dispatcher.store.queue import recount as event_audit
from dispatcher.store.queue.records import text
from dispatcher.store.redis.connection import guarded, outage_of
from dispatcher.store.redis.scripts import Argument, Call, Client, attempt, run, script

LEASE_LEFT = 0.7
"""Share of a lease that every claim leaves: it is written anew only when less is left, since that takes a write."""

Place = tuple[str, str]
"""How far mending got: a cursor into the open events, and a position in the log."""
MEND_START: Place = ("0", "-")

log = structlog.get_logger("store")


Handle = tuple[str, int]
"""Names one claim: event id and number of the attempt. An event may be claimed anew while an older attempt runs."""


class Claimed(NamedTuple):
    """An event in its owner's hands. ``n``: number of the attempt to make."""

    event: Event
    state: EventState
    n: int
    account_identifier: str | None
    url_suspended: bool = False
    """Some URL of its integration is suspended."""
    rate_limited: bool = False
    """Its lane has a rate in the store."""
    flags: bytes = b""
    """All that the store says of its lane; a new owner reads how the last one left it."""

    @property
    def handle(self) -> Handle:
        return self.event.id, self.n


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought. ``next_due_ms`` None: nothing is scheduled. Times are Redis's own."""

    now_ms: int
    next_due_ms: int | None
    events: list[Claimed]
    unreadable: list[Settlement]
    """Damaged, or of a type that only a newer version knows: given back for a while."""


class Move(StrEnum):
    """What settling does that is no status of its own."""

    RELEASE = "RELEASE"
    """Back to the queue as if it had not been claimed."""


class Settlement(NamedTuple):
    """How one claimed event goes on. ``delay_ms``: until the next attempt, or the result's deadline."""

    claimed: Claimed
    to: Status | Move
    delay_ms: int = 0
    attempt: Attempt | None = None
    error_code: str | None = None
    error_message: str | None = None
    account_identifier: str | None = None
    notification: Event | None = None

    @property
    def event_id(self) -> str:
        return self.claimed.event.id

    def state(self) -> EventState:
        """The event's state once this is recorded; a released event keeps the one that it has."""
        before = self.claimed.state
        if isinstance(self.to, Move):
            return before
        return EventState(
            status=self.to,
            created_ms=before.created_ms,
            sequence=before.sequence,
            attempts=self.claimed.n if self.attempt else before.attempts,
            tries=before.tries + (self.to is Status.RETRYING),
            error_code=self.error_code,
            error_message=self.error_message,
            account_identifier=self.account_identifier or before.account_identifier,
            asynchronous=before.asynchronous or self.to is Status.AWAITING_RESULT,
            revision=before.revision,
            unknown=before.unknown,
        )

    def arguments(self) -> tuple[Argument, ...]:
        event, attempt, told = self.claimed.event, self.attempt, self.notification
        return (
            event.id,
            self.claimed.n,
            self.to.value,
            self.delay_ms,
            orjson.dumps(attempt.as_record()) if attempt else "",
            self.state().stored(),
            event.integration_id,
            event.group,
            event.type.value,
            self.account_identifier or "",
            attempt.http_status if attempt and attempt.http_status else "",
            told.id if told else "",
            told.stored() if told else "",
        )


@dataclass(frozen=True, slots=True)
class LaneSetting:
    """One field of a lane that its owner decided: cap, rate, circuit or slow. None deletes it."""

    integration_id: str
    field: str
    value: int | float | None


class PartitionStore:
    """Scripts of a worker. All methods raise ``StoreUnavailable`` when Redis did not answer."""

    def __init__(self, client: Client, *, partitions: int, retention_ms: int, lease_ms: int, lane_cap: int) -> None:
        self._client = client
        self.partitions = partitions
        self._retention_ms = retention_ms
        self._lease_ms = lease_ms
        self._lane_cap = lane_cap

    async def grant(self, partition: int, within_ms: int) -> int:
        """A new generation for a partition without a live lease, else 0."""
        return int((await self._run([_call("grant", partition, within_ms)]))[0])

    async def unowned(self) -> dict[int, int]:
        """Partitions that no worker holds a live lease for, with the generation last granted (0 = none)."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in range(self.partitions):
            pipeline.hmget(keys.partition(partition) + "own", "until", "gen")
        with guarded():
            now_s, now_us = await self._client.time()
            leases = await pipeline.execute()
        now_ms = int(now_s) * 1000 + int(now_us) // 1000
        return {p: int(gen or 0) for p, (until, gen) in enumerate(leases) if float(until or 0) <= now_ms}

    async def own(
        self, partition: int, generation: int, owner: str, held: Iterable[Handle] = (), under: int = 0
    ) -> bool:
        """Take a granted partition up; False when the generation moved on. ``held``: claims still worked on.

        ``under``: the newer generation to go on under after a lost reply, never the same twice; 0 = as granted.
        """
        kept = [part for handle in held for part in handle]
        call = _call("own", partition, generation, under or generation, owner, self._lease_ms, *kept)
        return bool((await self._run([call]))[0][0] == b"ok")

    async def rest(self, partition: int, generation: int) -> bool:
        """Let go; what is still claimed is due again at once."""
        return bool((await self._run([_call("rest", partition, generation)]))[0][0] == b"ok")

    def claim_call(self, partition: int, generation: int, at_most: int) -> Call:
        left_ms = int(self._lease_ms * LEASE_LEFT)
        return _call("claim", partition, generation, self._lease_ms, at_most, self._lane_cap, left_ms)

    def settle_call(
        self,
        partition: int,
        generation: int,
        settlements: Sequence[Settlement],
        settings: Sequence[LaneSetting] = (),
        counted: dict[str, int] | None = None,
    ) -> Call:
        arguments: list[Argument] = [generation, self._retention_ms, len(settings)]
        for setting in settings:
            arguments += (setting.integration_id, setting.field, "" if setting.value is None else setting.value)
        counted = counted or {}
        arguments.append(len(counted))
        for name, by in counted.items():
            arguments += (name, by)
        for settlement in settlements:
            arguments += settlement.arguments()
        return Call(script("settle"), keys.partition(partition) + "own", arguments)

    async def round_trip(self, calls: Sequence[Call]) -> list[Any]:
        """Send claims and settlements of many partitions together; replies as the scripts gave them.

        None in the place of a script that Redis refused to finish: a key of that partition is not what it should be.
        """
        with guarded():
            replies = await attempt(self._client, calls)
        for call, reply in zip(calls, replies, strict=True):
            if isinstance(reply, ResponseError):
                if (outage := outage_of(reply)) is not None:
                    raise outage from reply
                log.error("script failed", script=call.script.name, key=call.key, error=str(reply))
        return [None if isinstance(reply, ResponseError) else reply for reply in replies]

    async def suspended_urls(self, partition: int, integration_id: str) -> frozenset[str]:
        with guarded():
            urls: Any = await self._client.hkeys(keys.partition(partition) + f"off:{integration_id}")  # type: ignore[misc]
        return frozenset(text(url) for url in urls)

    async def overdue_results(self, partitions: Iterable[int], now_ms: int, limit: int = 100) -> list[str]:
        """Ids of events whose result deadline has passed, up to ``limit`` of each partition."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in partitions:
            pipeline.zrangebyscore(keys.partition(partition) + "wait", "-inf", now_ms, start=0, num=limit)
        with guarded():
            return [text(event_id) for due in await pipeline.execute() for event_id in due]

    async def trim(self, partition: int, now_ms: int) -> None:
        """Forget log and dead letters older than the retention time; the events themselves expire."""
        oldest = now_ms - self._retention_ms
        with guarded():
            await self._client.xtrim(keys.partition(partition) + "log", minid=oldest, approximate=True)
            await self._client.zremrangebyscore(keys.partition(partition) + "dead", "-inf", oldest)

    async def mend(self, at: dict[int, Place], how_many: int = 500) -> dict[int, tuple[Place, int]]:
        """Check a slice of the open events and of the log of some partitions, and repair what is in no place.

        ``at``: per partition where the last call ended, at first ``MEND_START``. Returns where to go on, and the
        repairs made.
        """
        replies = await self._run([_call("mend", partition, *place, how_many) for partition, place in at.items()])
        return {
            partition: ((text(reply[0]), text(reply[1])), int(reply[2]))
            for partition, reply in zip(at, replies, strict=True)
        }

    async def recount(self, partitions: Iterable[int]) -> dict[int, int]:
        """Put the counters of lanes right where a key was lost that they count: repairs made, by partition."""
        numbers = list(partitions)
        replies = await self._run([_call("recount", partition) for partition in numbers])
        return {partition: int(repairs) for partition, repairs in zip(numbers, replies, strict=True) if repairs}

    async def audit(self) -> AuditReport:
        """Recount everything: accepted = terminal + open, and every open event is in exactly one place."""
        return await event_audit.audit(self._client, range(self.partitions))

    async def _run(self, calls: Sequence[Call]) -> list[Any]:
        with guarded():
            return await run(self._client, calls)


def _call(name: str, partition: int, *arguments: Argument) -> Call:
    return Call(script(name), keys.partition(partition) + "own", arguments)

"""The queue as its users see it: accept, read, redeliver, resolve, conclude, pause.

The workers' side (own, claim, settle) is ``store/queue/owning/partition.py``. Every change is one script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dispatcher.ids import partition_of_event
from dispatcher.model.attempt import Attempt
from dispatcher.model.event import Event, EventState, no_such_event
from dispatcher.model.queue import Accepted, Change, Explanation, LaneView, QueueOverview, Reason, StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.archived import ArchivedEvent
from dispatcher.store.archive.expunging import rewrite
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.acting.accepting import DocumentOf, accept_each, packed_document
from dispatcher.store.queue.acting.lane_holds import LaneHolds
from dispatcher.store.queue.acting.refusals import BROUGHT_FORWARD, EXPUNGED, refusal
from dispatcher.store.queue.acting.type_pauses import TypePauses
from dispatcher.store.queue.records import attempts_of, damaged_is_absent, stored_event
from dispatcher.store.queue.search.finding import EventFinder
from dispatcher.store.queue.views.event_view import MAY_BE_HELD, EventView, event_view, explain, paused, status_now
from dispatcher.store.queue.views.past import view_of, without_content
from dispatcher.store.queue.watching import overview
from dispatcher.store.queue.watching.feed import newest, read_changes
from dispatcher.store.queue.watching.following import ChangeFeed
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.durability import writing
from dispatcher.store.redis.scripts import Argument, Client, Script, reply_of, script

IDEMPOTENCY_TTL_S = 86_400

_BRING_FORWARD = script("queue/bring_forward")
_CONCLUDE = script("queue/conclude")
_EXPUNGE = script("queue/expunge")
_LOOK = script("queue/look")
_REOPEN = script("queue/reopen")


@dataclass(frozen=True, slots=True)
class Reservation:
    """An idempotency key's event and the hash of the body that first used it."""

    event_id: str
    body_hash: str
    fresh: bool


def _reservation(before: bytes | None, event_id: str, body_hash: str) -> Reservation:
    if before is None:
        return Reservation(event_id, body_hash, fresh=True)
    bound_id, bound_hash = before.decode().split(" ", 1)
    return Reservation(bound_id, bound_hash, fresh=False)


class QueueStore(EventFinder, LaneHolds):
    """All partitions of one store. Raises ``StoreUnavailable`` when Redis did not answer."""

    def __init__(
        self,
        client: Client,
        *,
        partitions: int,
        retention_ms: int,
        min_replicas: int = 0,
        archive: Archive | None = None,
        pack: bool = True,
    ) -> None:
        super().__init__(client, partitions, archive)
        self._retention_ms = retention_ms
        self._document_of: DocumentOf = packed_document if pack else Event.stored
        self.type_pauses = TypePauses(client)
        self._write = writing(min_replicas)
        self.strict = min_replicas > 0
        """An event is accepted only once replicas have it, also when it is accepted again."""

    async def take_writes(self) -> None:
        """Raises ``StoreUnavailable`` when Redis answers but takes no writes: a replica, or one that lacks replicas.

        Deletes what is never there: a write that changes nothing, waits for no disk, and is taken at ``maxmemory``.
        """
        with guarded():
            await self._client.delete(deployment_keys.NEVER_THERE)

    async def accept(self, events: Sequence[Event]) -> list[Accepted]:
        """Write events and give each its place; one round trip however many there are. Raises the first that failed.

        Idempotent by id: repeating after ``StoreUnavailable`` never makes a second event.
        """
        receipts = await self.accept_each(events)
        for receipt in receipts:
            if isinstance(receipt, Exception):
                raise receipt
        return cast("list[Accepted]", receipts)

    async def accept_each(self, events: Sequence[Event]) -> list[Accepted | Exception]:
        """As ``accept``, with the error in the place of an event whose partition did not take it."""
        return await accept_each(self._client, self._write, events, self._document_of)

    async def reserve(self, client_id: str, key: str, body_hash: str, event_id: str) -> Reservation:
        """Bind an idempotency key to an event id for 24 h, or learn what it is bound to."""
        name = deployment_keys.idempotency(client_id, key)
        with guarded():
            before = await self._client.set(name, f"{event_id} {body_hash}", nx=True, get=True, ex=IDEMPOTENCY_TTL_S)
        return _reservation(before, event_id, body_hash)

    async def reserve_each(self, client_id: str, asked: Sequence[tuple[str, str, str]]) -> list[Reservation]:
        """``reserve`` for each key, hash and event id, in one round trip; the first of equal keys is the fresh one."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for key, body_hash, event_id in asked:
            name = deployment_keys.idempotency(client_id, key)
            pipeline.set(name, f"{event_id} {body_hash}", nx=True, get=True, ex=IDEMPOTENCY_TTL_S)
        with guarded():
            replies = await pipeline.execute()
        return [
            _reservation(before, event_id, hashed) for before, (_, hashed, event_id) in zip(replies, asked, strict=True)
        ]

    async def get(self, event_id: str) -> StoredEvent | None:
        seen = await self._look(event_id)
        if seen is None:
            return None
        with damaged_is_absent(event_id):
            return stored_event(event_id, seen.document, seen.state, status_now(event_id, seen))
        return None

    async def explain(self, event_id: str) -> Explanation | None:
        """The reason why the event waits, or its end; of one behind another also why that one waits."""
        found = await self.explained(event_id)
        return found[1] if found else None

    async def explained(self, event_id: str) -> tuple[StoredEvent, Explanation] | None:
        """The event, and why it waits, as of one look; of one behind another also why that one waits, a look later."""
        found = await self._explained(event_id)
        if found is None or found[1].blocked_by is None:
            return found
        first = await self._explained(found[1].blocked_by)
        return found[0], replace(found[1], cause=first[1] if first else None)

    async def _explained(self, event_id: str) -> tuple[StoredEvent, Explanation] | None:
        seen = await self._look(event_id)
        if seen is None:
            return None
        with damaged_is_absent(event_id):
            stored = stored_event(event_id, seen.document, seen.state, status_now(event_id, seen))
            why = explain(event_id, seen)
            held = await self.type_pauses.of(stored.event.type, seen.now_ms) if why.reason in MAY_BE_HELD else None
            return stored, why if held is None else paused(why.status, held.pause, Reason.TYPE_PAUSED)
        return None

    async def attempts(self, event_id: str) -> list[Attempt] | None:
        """Every attempt recorded, first one first; None when there is no such event."""
        partition = partition_of_event(event_id, self._partitions)
        if partition is None:
            return None
        with guarded():
            record: dict[bytes, bytes] = await self._client.hgetall(queue_keys.event(partition, event_id))  # type: ignore[misc]
        if not record and (archived := await self._archived(event_id)):
            record = {name.encode(): value for name, value in archived.fields.items()}
        return attempts_of(event_id, record) if record else None

    async def redeliver(self, event_id: str, revision: int | None, asked_ms: int | None = None) -> StoredEvent:
        """Put a DEAD, FAILED or EXPIRED event back on the queue, with its URL as of ``revision``.

        Not one that failed once more after ``asked_ms``.
        """
        arguments = (event_id, "" if revision is None else revision, "" if asked_ms is None else asked_ms)
        return await self._change(event_id, _REOPEN, arguments, "redelivered")

    async def bring_forward(self, event_id: str, asked_ms: int | None = None) -> StoredEvent:
        """Let the next attempt of a RETRYING event be due now, unless one began after ``asked_ms``."""
        arguments = (event_id, "" if asked_ms is None else asked_ms)
        return await self._change(event_id, _BRING_FORWARD, arguments, BROUGHT_FORWARD)

    async def expunge(self, event: Event) -> StoredEvent:
        """Forget the content of an event that has ended, and what hosts said of it; once more changes nothing."""
        bare = event._replace(payload=None, creator=None).stored()
        reply = await self._run_on(event.id, _EXPUNGE, (event.id, bare))
        if reply[0] == b"gone" and await self._expunge_archived(event.id, bare):
            reply = [b"ok"]
        return await self._after(event.id, reply, EXPUNGED)

    async def _expunge_archived(self, event_id: str, document: bytes) -> bool:
        if self.archive is None:
            return False
        now_ms = self.archive.now_ms()
        return await rewrite(self.archive, event_id, lambda event: without_content(event, document, now_ms))

    async def resolve(self, event_id: str, notification: Event | None = None) -> StoredEvent:
        """Close an event by hand: nothing more is sent for it.

        ``notification``, here and below: a SUBSCRIPTION_STATUS event put on the queue in the same step.
        """
        arguments = self._conclusion(event_id, Status.RESOLVED, "resolve", notification=notification)
        return await self._change(event_id, _CONCLUDE, arguments, "resolved")

    async def result(
        self,
        event_id: str,
        success: bool,
        error_code: str | None = None,
        message: str | None = None,
        account_identifier: str | None = None,
        notification: Event | None = None,
    ) -> StoredEvent:
        """End an event that its host had answered with 202, by what the host reports now."""
        status = Status.SUCCEEDED if success else Status.FAILED
        arguments = self._conclusion(
            event_id, status, "result", error_code, message, account_identifier, notification=notification
        )
        return await self._change(event_id, _CONCLUDE, arguments, "given a result")

    async def still_pending(self, event_id: str, error_code: str | None, message: str | None) -> StoredEvent:
        """A host said that the result is not there yet: note its words. The deadline stays."""
        arguments = self._conclusion(
            event_id, Status.AWAITING_RESULT, "pending", error_code, message, notification=None
        )
        return await self._change(event_id, _CONCLUDE, arguments, "given a result")

    async def expire(self, event_id: str, notification: Event | None = None) -> bool:
        """End an event whose result did not come in time; False when it is no longer awaited."""
        arguments = self._conclusion(
            event_id,
            Status.EXPIRED,
            "expire",
            "INVALID_RESPONSE",
            "no result was reported before the deadline",
            notification=notification,
        )
        return bool((await self._run_on(event_id, _CONCLUDE, arguments))[0] == b"ok")

    async def withdraw(self, event_id: str, why: str) -> bool:
        """Send nothing more of what nobody waits for any longer; False when it has ended, or awaits a result."""
        arguments = self._conclusion(event_id, Status.RESOLVED, "withdraw", "TRANSPORT_ERROR", why, notification=None)
        return bool((await self._run_on(event_id, _CONCLUDE, arguments))[0] == b"ok")

    async def overview(self, lanes_limit: int = 100) -> QueueOverview:
        """Everything counted at one moment; the ``lanes_limit`` lanes with most waiting work are listed."""
        with guarded():
            return await overview.overview(self._client, self._all(), lanes_limit)

    async def lane(self, integration_id: str) -> LaneView | None:
        """Waiting work of one integration; None = it has none, and nothing holds it back."""
        with guarded():
            return await overview.lane(self._client, self.partition_of(integration_id), integration_id)

    async def counters(self) -> dict[str, int]:
        """Counters of all partitions since the store was made, added up."""
        with guarded():
            return await overview.counters(self._client, self._all())

    async def changes(self, after_id: str | None, limit: int = 500) -> list[Change]:
        """Status changes after ``after_id`` (None = all that are kept), oldest first."""
        with guarded():
            return await read_changes(self._client, self._all(), after_id, limit)

    def feed(self) -> ChangeFeed:
        """To follow changes with, for any number of followers."""
        return ChangeFeed(self._client, self._partitions)

    async def newest_change(self) -> str:
        """The id to pass to ``changes`` for what happens from now on."""
        with guarded():
            return await newest(self._client, self._all())

    def _conclusion(
        self,
        event_id: str,
        status: Status,
        how: str,
        code: str | None = None,
        message: str | None = None,
        account_identifier: str | None = None,
        *,
        notification: Event | None,
    ) -> list[Argument]:
        notified = (notification.id, notification.stored()) if notification else ("", "")
        facts = (code or "", message or "", account_identifier or "", self._retention_ms)
        return [event_id, status.value, how, *facts, *notified]

    async def _change(self, event_id: str, change: Script, arguments: Sequence[Argument], verb: str) -> StoredEvent:
        reply = await self._run_on(event_id, change, arguments)
        if reply[0] == b"gone" and (archived := await self._archived(event_id)):
            reply = [b"refused", EventState.from_stored(archived.state).status.value.encode()]
        return await self._after(event_id, reply, verb)

    async def _after(self, event_id: str, reply: list[Any], verb: str) -> StoredEvent:
        refused = refusal(reply, verb)
        stored = None if refused else await self.get(event_id)
        if stored is None:
            raise refused or no_such_event()
        return stored

    async def _run_on(self, event_id: str, transition: Script, arguments: Sequence[Argument]) -> list[Any]:
        partition = partition_of_event(event_id, self._partitions)
        if partition is None:
            raise no_such_event()
        reply: list[Any] = await reply_of(self._client, transition.call([queue_keys.own(partition)], *arguments))
        return reply

    async def _look(self, event_id: str) -> EventView | None:
        if partition_of_event(event_id, self._partitions) is None:
            return None
        reply = await self._run_on(event_id, _LOOK, (event_id,))
        if reply:
            return event_view(reply)
        archived = await self._archived(event_id)
        return view_of(archived) if archived else None

    async def _archived(self, event_id: str) -> ArchivedEvent | None:
        return (await self.archive.find([event_id])).get(event_id) if self.archive else None

"""Looks at one event: its state, its attempts, and why it waits; in Redis or archived. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dispatcher.ids import partition_of_event
from dispatcher.model.attempt import Attempt
from dispatcher.model.event import no_such_event
from dispatcher.model.queue import Explanation, Reason, StoredEvent
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.partitioned import Partitioned
from dispatcher.store.queue.records import attempts_of, damaged_is_absent, stored_event
from dispatcher.store.queue.views.event_view import MAY_BE_HELD, EventView, event_view, explain, paused, status_now
from dispatcher.store.queue.views.past import view_of
from dispatcher.store.queue.views.paused_types import PausedTypes
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, Client, Script, reply_of, script

_LOOK = script("queue/look")


class EventLooks(Partitioned):
    """All partitions of one store, and its archive. Raises ``StoreUnavailable`` when one of them did not answer."""

    def __init__(self, client: Client, partitions: int, archive: Archive | None = None) -> None:
        super().__init__(client, partitions)
        self.archive = archive
        self._paused_types = PausedTypes(client)

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
            held = await self._paused_types.of(stored.event.type, seen.now_ms) if why.reason in MAY_BE_HELD else None
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

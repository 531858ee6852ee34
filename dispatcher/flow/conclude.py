"""Conclude: end an event from outside an attempt (a host's result, a hand, a deadline) and tell its status URL."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.errors import NotFound
from dispatcher.flow.status_notice import status_notice
from dispatcher.model.event import Event
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.definition_cache import DefinitionCache
from dispatcher.store.queue import QueueStore


class Conclusions:
    """Every way but an attempt in which an event becomes terminal. ``now_ms`` stamps the ids of notifications."""

    def __init__(self, queue: QueueStore, cache: DefinitionCache, now_ms: Callable[[], int]) -> None:
        self._queue = queue
        self._cache = cache
        self._now_ms = now_ms

    async def result(
        self,
        event_id: str,
        success: bool,
        error_code: str | None = None,
        message: str | None = None,
        account_identifier: str | None = None,
    ) -> StoredEvent:
        """The host's word on an event it answered with 202. Raises ``NotFound``, ``Conflict``."""
        status = Status.SUCCEEDED if success else Status.FAILED
        error = {"code": error_code, "message": message} if error_code else None
        notice = await self._notice(event_id, status, error, account_identifier)
        return await self._queue.result(event_id, success, error_code, message, account_identifier, notice)

    async def resolve(self, event_id: str) -> StoredEvent:
        """Close it by hand. Raises ``NotFound``, ``Conflict``."""
        return await self._queue.resolve(event_id, await self._notice(event_id, Status.RESOLVED, None, None))

    async def expire(self, event_id: str) -> bool:
        """End it if its result is overdue."""
        error: dict[str, str | None] = {"code": "INVALID_RESPONSE", "message": "no result before the deadline"}
        return await self._queue.expire(event_id, await self._notice(event_id, Status.EXPIRED, error, None))

    async def _notice(
        self, event_id: str, status: Status, error: dict[str, str | None] | None, identifier: str | None
    ) -> Event | None:
        stored = await self._queue.get(event_id)
        if stored is None:
            raise NotFound.of("not_found", f"there is no event {event_id!r}: never accepted, or its retention ended")
        event, state = stored.event, stored.state
        number = state.revision if state.revision is not None else event.revision
        return status_notice(
            event,
            await self._cache.revision(event.integration_id, number),
            status,
            attempts=state.attempts,
            error=error,
            account_identifier=identifier or state.account_identifier,
            now_ms=self._now_ms(),
        )

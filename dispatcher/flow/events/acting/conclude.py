"""Conclude: end an event from outside an attempt (a host's result, a hand, a deadline) and notify its status URL."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.errors import Unprocessable
from dispatcher.flow.events.making.status_notice import status_notice
from dispatcher.model.event import Event, no_such_event
from dispatcher.model.integration import WORKING, AnswerMode, Revision
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.policy.answers.body import Fields
from dispatcher.policy.answers.outcome import Verdict, conclude_later
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.queue.events import QueueStore


class Conclusions:
    """Every way but an attempt in which an event becomes terminal. ``now_ms`` stamps the ids of notifications."""

    def __init__(self, queue: QueueStore, cache: DefinitionCache, now_ms: Callable[[], int]) -> None:
        self._queue = queue
        self._cache = cache
        self._now_ms = now_ms

    async def result(self, event_id: str, fields: Fields) -> StoredEvent:
        """The host's word on an event it answered with 202, read as an answer is; after PENDING it is still awaited.

        Raises ``NotFound``, ``Conflict``, and ``Unprocessable`` without a readable ``success``.
        """
        stored = await self._stored(event_id)
        verdict = await self._verdict(stored, fields)
        code, message, identifier = verdict.error_code, verdict.message, verdict.account_identifier
        if verdict.status is Status.AWAITING_RESULT:
            return await self._queue.still_pending(event_id, code, message)
        error = {"code": code, "message": message} if code else None
        notice = await self._notice(event_id, verdict.status, error, identifier)
        success = verdict.status is Status.SUCCEEDED
        return await self._queue.result(event_id, success, code, message, identifier, notice)

    async def resolve(self, event_id: str) -> StoredEvent:
        """Close it by hand. Raises ``NotFound``, ``Conflict``."""
        return await self._queue.resolve(event_id, await self._notice(event_id, Status.RESOLVED, None, None))

    async def expire(self, event_id: str) -> bool:
        """End it if its result is overdue."""
        error: dict[str, str | None] = {"code": "INVALID_RESPONSE", "message": "no result before the deadline"}
        return await self._queue.expire(event_id, await self._notice(event_id, Status.EXPIRED, error, None))

    async def _verdict(self, stored: StoredEvent, fields: Fields) -> Verdict:
        revision = await self._revision(stored)
        mode = revision.answers if revision else AnswerMode.AUTO
        verdict = conclude_later(fields, mode, stored.event.type, stored.event.flag)
        if verdict is None:
            raise Unprocessable.of("invalid_value", "Give true or false.", "success")
        return verdict

    async def _notice(
        self, event_id: str, status: Status, error: dict[str, str | None] | None, identifier: str | None
    ) -> Event | None:
        stored = await self._stored(event_id)
        return status_notice(
            stored.event,
            await self._revision(stored),
            status,
            attempts=stored.state.attempts,
            error=error,
            answered=identifier,
            known=stored.state.account_identifier,
            now_ms=self._now_ms(),
        )

    async def _stored(self, event_id: str) -> StoredEvent:
        stored = await self._queue.get(event_id)
        if stored is None:
            raise no_such_event()
        return stored

    async def _revision(self, stored: StoredEvent) -> Revision | None:
        """The version that the event is sent with; None when its integration is gone."""
        lane, number = stored.event.integration_id, stored.event.pinned(stored.state.revision)
        found = await self._cache.revision(lane, number)
        return await self._cache.revision(lane, WORKING) if found is None and number < WORKING else found

"""Changes of one event: sent again, brought forward, concluded, forgotten. Each is one script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.model.event import Event, EventState, no_such_event
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.archive.upkeep.expunging import rewrite
from dispatcher.store.queue.acting.refusals import BROUGHT_FORWARD, EXPUNGED, REDELIVERED, refusal
from dispatcher.store.queue.views.looking import EventLooks
from dispatcher.store.queue.views.past import without_content
from dispatcher.store.redis.scripts import Argument, Script, script

_BRING_FORWARD = script("queue/bring_forward")
_CONCLUDE = script("queue/conclude")
_EXPUNGE = script("queue/expunge")
_REOPEN = script("queue/reopen")


class EventChanges(EventLooks):
    """Raises ``StoreUnavailable`` when Redis did not answer, and what refuses an act (``refusals``)."""

    _retention_ms: int
    """Of events that have ended."""

    async def redeliver(self, event_id: str, revision: int | None, asked_ms: int | None = None) -> StoredEvent:
        """Put a DEAD, FAILED or EXPIRED event back on the queue, with its URL as of ``revision``.

        Not one that failed once more after ``asked_ms``.
        """
        arguments = (event_id, "" if revision is None else revision, "" if asked_ms is None else asked_ms)
        return await self._change(event_id, _REOPEN, arguments, REDELIVERED)

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

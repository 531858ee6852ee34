"""One notification from its bytes to the answer: verify → read → once → handle. Knows no web framework."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dispatcher.receiver.answers import Answer, ErrorCode, refused, succeeded
from dispatcher.receiver.events import Event, UnreadableEvent
from dispatcher.receiver.reading import read_event
from dispatcher.receiver.repeats import MemoryRepeats, Repeats
from dispatcher.receiver.verifying import Headers, NotGenuine, Verifier

STATELESS = "STATELESS"
"""The flag of a test: answered with success, and nothing done."""

E = TypeVar("E", bound=Event)
Handler = Callable[[E], Answer | Awaitable[Answer]]
"""A function or coroutine function of one kind of event."""

_log = logging.getLogger("dispatcher.receiver")


class Receiver:
    """``on(SubscriptionOrder)`` decorates the function that handles orders; the nearest class of an event wins.

    A handler runs once for each event that it has finished. What it raises is logged, and answered with 500: the
    dispatcher tries again by its schedule.
    """

    def __init__(
        self, verifier: Verifier, *, repeats: Repeats | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._verifier = verifier
        self._repeats = MemoryRepeats() if repeats is None else repeats
        self._clock = clock
        self._handlers: dict[type[Event], Handler[Any]] = {}

    def on(self, *kinds: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """``on(Event)`` takes what no other handler takes, which is refused otherwise."""

        def add(handler: Handler[E]) -> Handler[E]:
            self._handlers |= dict.fromkeys(kinds, handler)
            return handler

        return add

    async def receive(self, headers: Headers, body: bytes) -> Answer:
        """The answer to one request, whatever arrives. ``body``: the raw bytes."""
        try:
            event = read_event(body, self._verifier.verify(headers, body, self._clock()).id)
        except NotGenuine as error:
            return Answer(401, {"success": False, "errorCode": ErrorCode.UNAUTHORIZED, "message": str(error)})
        except UnreadableEvent as error:
            return refused(ErrorCode.INVALID_RESPONSE, str(error))
        if event.flag == STATELESS:
            return succeeded()
        handler = self._handler(type(event))
        if handler is None:
            return refused(ErrorCode.INVALID_OPERATION, f"nothing here handles {event.type}")
        return await self._once(event, handler)

    def _handler(self, kind: type[Event]) -> Handler[Any] | None:
        return next((self._handlers[one] for one in kind.__mro__ if one in self._handlers), None)

    async def _once(self, event: Event, handler: Handler[Any]) -> Answer:
        claim = await self._repeats.claim(event.id)
        if claim.answer is not None:
            return claim.answer
        if claim.token is None:
            return Answer(409, {"success": False, "message": "this event is being worked on; come again"})
        kept = False
        try:
            answer = await _answer(handler, event)
            if answer.final:
                await self._repeats.keep(event.id, answer)
                kept = True
        finally:
            if not kept:
                await _in_a_task_of_its_own(self._repeats.release(event.id, claim.token))
        return answer


async def _in_a_task_of_its_own(work: Awaitable[None]) -> None:
    """Of a task that was cancelled: time-outs cannot be told from the cancellation there before Python 3.11.3."""
    await asyncio.shield(asyncio.ensure_future(work))


async def _answer(handler: Handler[Any], event: Event) -> Answer:
    try:
        given = handler(event)
        return await given if inspect.isawaitable(given) else given
    except Exception:
        _log.exception("the handler of %s failed at event %s", event.type, event.id)
        return Answer(500, {"success": False, "message": "the handler failed"})

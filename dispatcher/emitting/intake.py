"""Takes events from a Redis stream: each is accepted once, then acknowledged; what is no event is set aside.

An entry has the field ``event``, the JSON of a body of ``POST /v1/events``, and may have ``key``, an idempotency key.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from dispatcher.emitting.redis_emitter import RedisEmitter
from dispatcher.errors import RequestError, StoreUnavailable
from dispatcher.store.queue.intake import Entry, IntakeStream

MOST = 256
"""Entries that are accepted in one write."""
WAIT_MS = 1000
IDLE_MS = 60_000
"""Time after which an entry that another consumer has not acknowledged is taken over: that one is gone."""
RETRY_S = 1.0

log = structlog.get_logger("intake")


class Intake:
    """One per process; any number of processes share a stream, and then its order holds only within what each takes."""

    def __init__(self, emitter: RedisEmitter, stream: IntakeStream) -> None:
        self._emitter = emitter
        self._stream = stream

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. While the store is away or full entries wait; none is lost, none accepted twice."""
        left = True
        prepared = False
        while not stop.is_set():
            try:
                if not prepared:
                    await self._stream.prepare()
                    prepared = True
                left = await self.step(left)
            except (StoreUnavailable, RequestError) as error:
                left = True
                log.warning("events wait in their stream", stream=self._stream.name, reason=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S)

    async def step(self, left: bool) -> bool:
        """One write's worth; ``left``: begin with what was handed out before. True when there may be more of that."""
        if left:
            entries = await self._stream.own(MOST) or await self._stream.adopt(MOST, IDLE_MS)
            await self._take(entries)
            return bool(entries)
        entries = await self._stream.new(MOST, WAIT_MS)
        await self._take(entries)
        return not entries  # nothing to do: look for what a lost consumer has left

    async def _take(self, entries: Sequence[Entry]) -> None:
        """Accept, then acknowledge. Raises where the outcome is unknown: the same entries come again."""
        if not entries:
            return
        asked = [(one.fields.get(b"event", b""), _key(one)) for one in entries]
        outcomes = await self._emitter.emit_each_once(asked, f"stream\n{self._stream.name}\n")
        accepted = []
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, RequestError):
                log.warning("entry set aside", stream=self._stream.name, entry=entry.id, reason=str(outcome))
                await self._stream.set_aside(entry, _reason(outcome))
            else:
                accepted.append(entry.id)
        await self._stream.acknowledge(accepted)


def _key(entry: Entry) -> str:
    given = entry.fields.get(b"key")
    return f"id:{entry.id}" if given is None else f"key:{given.decode(errors='replace')}"


def _reason(refusal: RequestError) -> str:
    """Codes, fields and words, such as ``unknown_type (type): This type cannot be emitted …``."""
    return "; ".join(f"{one.code}{f' ({one.field})' if one.field else ''}: {one.message}" for one in refusal.problems)

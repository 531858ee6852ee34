"""Takes events from a source beside HTTP: each is accepted once, then acknowledged; what is no event is set aside."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from dispatcher.emitting.redis_emitter import RedisEmitter
from dispatcher.errors import RequestError, SourceUnavailable, StoreUnavailable

MOST = 64
"""Events that are accepted in one write; each may have a megabyte."""
RETRY_S = 1.0
NOTE_EVERY_S = 10.0
"""Somebody may deal with what is set aside behind our back."""
MOST_REASON = 1000
"""Characters."""

log = structlog.get_logger("intake")


class Given(NamedTuple):
    """One entry that a source hands out. ``id``: by which it knows it again; ``event``: JSON, None = it has none, and
    ``lacking`` says why; ``key``: what makes it one event however often it is handed out."""

    id: str
    event: bytes | None
    key: str
    lacking: str = "gone: it was deleted at its source before it was accepted"


class Source(Protocol):
    """``key_name``: what the source calls a key. Everything raises ``SourceUnavailable`` or ``StoreUnavailable``."""

    name: str
    key_space: str
    key_name: str

    async def next(self) -> Sequence[Given]:
        """Entries handed out before and not acknowledged, else new ones; after a second at most, perhaps none."""

    async def acknowledge(self, ids: Sequence[str]) -> None: ...

    async def set_aside(self, of: str, reason: str) -> None:
        """Keep it apart with the reason; it is not handed out again."""

    async def aside(self) -> int:
        """Number of those that are set aside."""

    def again(self) -> None:
        """Begin with what was handed out before: nobody knows what became of it."""


Note = Callable[[int, str], Awaitable[None]]
"""Tells everybody how many are set aside, and why the newest is; empty = nothing new."""


class Intake:
    """One per process; any number of processes share a source, and then its order holds only within what each takes."""

    def __init__(self, emitter: RedisEmitter, source: Source, note: Note) -> None:
        self._emitter = emitter
        self._source = source
        self._note = note
        self._newest_reason = ""
        self._noted_s = -math.inf

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. While store or source are away or full events wait; none is lost or accepted twice."""
        said = ""
        while not stop.is_set():
            try:
                await self.step()
                said = ""
            except (StoreUnavailable, SourceUnavailable, RequestError) as error:
                self._source.again()
                if said != str(error):
                    log.warning("events wait at their source", source=self._source.name, reason=str(error))
                said = str(error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S):
                        await stop.wait()

    async def step(self) -> int:
        """One write's worth: accept, then acknowledge. Returns how many were handed out.

        Raises where the outcome is unknown: the same are handed out again.
        """
        given = await self._source.next()
        there = [one for one in given if one.event is not None]
        for empty in (one for one in given if one.event is None):
            await self._set_aside(empty, empty.lacking)
        await self._accept(there)
        if self._newest_reason or time.monotonic() - self._noted_s >= NOTE_EVERY_S:
            await self._note(await self._source.aside(), self._newest_reason)
            self._newest_reason, self._noted_s = "", time.monotonic()
        return len(given)

    async def _accept(self, given: Sequence[Given]) -> None:
        if not given:
            return
        asked = [(one.event or b"", one.key) for one in given]
        outcomes = await self._emitter.emit_each_once(asked, self._source.key_space)
        accepted = []
        for one, outcome in zip(given, outcomes, strict=True):
            if isinstance(outcome, RequestError):
                await self._set_aside(one, self._reason(outcome))
            else:
                accepted.append(one.id)
        await self._source.acknowledge(accepted)

    async def _set_aside(self, one: Given, reason: str) -> None:
        log.warning("set aside", source=self._source.name, entry=one.id, reason=reason)
        await self._source.set_aside(one.id, reason[:MOST_REASON])
        self._newest_reason = reason[:MOST_REASON]

    def _reason(self, refusal: RequestError) -> str:
        """Codes, fields and words, such as ``unknown_type (type): This type cannot be emitted …``."""
        names = {"key": self._source.key_name, "Idempotency-Key": self._source.key_name}
        said = [(one.code, names.get(one.field or "", one.field), one.message) for one in refusal.problems]
        return "; ".join(f"{code}{f' ({field})' if field else ''}: {message}" for code, field, message in said)

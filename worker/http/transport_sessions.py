"""One guarded session for each distinct transport, so that pooled connections never mix client certificates.

Opened when first needed, closed when unused for a while or pushed out by others; never closed under a request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Self

from dispatcher.model.integration import Transport
from worker.http.aiohttp_inside.session import Session
from worker.http.answer import Answer
from worker.http.threads import Threads
from worker.http.tls import THREAD_WITHIN_S, TLS_THREADS, tls_context
from worker.http.transport import Route

CAPACITY = 512
"""Sessions open at a time, those in use not counted against each other."""
IDLE_S = 60.0

OpenSession = Callable[[Transport, ssl.SSLContext | None], Session]


class _Pooled:
    """One session on its way or open, and how many requests use it."""

    def __init__(self, making: asyncio.Task[Session]) -> None:
        self.making = making
        self.users = 0
        self.idle_since_s = 0.0

    @property
    def failed(self) -> bool:
        done = self.making.done()
        return done and (self.making.cancelled() or self.making.exception() is not None)


class TransportSessions:
    """One per worker process. ``plain`` serves whatever has no transport of its own; closing it is the caller's."""

    def __init__(
        self,
        plain: Session,
        open_session: OpenSession,
        *,
        capacity: int = CAPACITY,
        idle_s: float = IDLE_S,
    ) -> None:
        self.plain = plain
        self._open_session = open_session
        self._capacity = capacity
        self._idle_s = idle_s
        self._pooled: OrderedDict[str, _Pooled] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._threads = Threads(TLS_THREADS, "certificate", THREAD_WITHIN_S)

    @property
    def open_count(self) -> int:
        """Sessions besides the plain one."""
        return len(self._pooled)

    async def post(
        self,
        route: Route | None,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float | None = None,
        fresh: bool = False,
        query: str = "",
    ) -> Answer:
        """``Session.post`` over the session of ``route``. Raises ``TransportUnusable`` as well."""
        if route is None:
            return await self.plain.post(url, body, headers, timeout_s=timeout_s, fresh=fresh, query=query)
        async with self.session(route) as session:
            return await session.post(url, body, headers, timeout_s=timeout_s, fresh=fresh, query=query)

    @asynccontextmanager
    async def session(self, route: Route) -> AsyncIterator[Session]:
        """The session of ``route``, which stays open at least until this ends."""
        entry = self._entry(route)
        entry.users += 1
        try:
            yield await asyncio.shield(entry.making)
        finally:
            entry.users -= 1
            entry.idle_since_s = asyncio.get_running_loop().time()
            if entry.failed and self._pooled.get(route.name) is entry:
                del self._pooled[route.name]
            self._tidy()

    async def close(self) -> None:
        """End every session but the plain one."""
        if self._sweep is not None:
            self._sweep.cancel()
        for name in list(self._pooled):
            self._end(name)
        await asyncio.gather(*self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _entry(self, route: Route) -> _Pooled:
        entry = self._pooled.get(route.name)
        if entry is None:
            entry = self._pooled[route.name] = _Pooled(asyncio.create_task(self._make(route.transport)))
        self._pooled.move_to_end(route.name)
        return entry

    async def _make(self, transport: Transport) -> Session:
        """Reading authorities and keys takes milliseconds, which the loop does not have."""
        return self._open_session(transport, await self._threads.run(partial(tls_context, transport)))

    def _tidy(self) -> None:
        """Close what nobody used for a while, and the least used beyond the capacity; look again later."""
        now_s = asyncio.get_running_loop().time()
        surplus = len(self._pooled) - self._capacity
        for name, entry in list(self._pooled.items()):
            if entry.users == 0 and (surplus > 0 or now_s - entry.idle_since_s >= self._idle_s):
                self._end(name)
                surplus -= 1
        if self._sweep is None and self._pooled:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_s, self._sweep_again)

    def _sweep_again(self) -> None:
        self._sweep = None
        self._tidy()

    def _end(self, name: str) -> None:
        task = asyncio.create_task(_closed(self._pooled.pop(name)))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(entry: _Pooled) -> None:
    made = await asyncio.gather(entry.making, return_exceptions=True)
    for session in made:
        if isinstance(session, Session):
            await session.close()

"""Turns host names into addresses, in threads of its own. Never decides alone whether an address may be reached.

A slow name server holds one thread for each name and tenant, however many wait for it. While it is slow, or says that
it cannot tell now, the last address is used for a minute.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

from worker.http.ration import TENANT, NothingLeft
from worker.http.threads import Threads

LOOKUP_THREADS = 64
THREAD_WITHIN_S = 1.0
"""Longest wait for a thread."""
FRESH_S = 5.0
"""Time for which an answer is used without asking again."""
LAST_S = 60.0
"""Time for which it is used while no newer one can be had."""
RENEWAL_S = 0.25
"""Longest wait for a newer answer where there is an older one."""
KEPT_NAMES = 4096

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""One answer of ``getaddrinfo``."""
Name = tuple[str, int]
"""A host name and the family of addresses that is wanted."""


class _Known(NamedTuple):
    at_s: float
    found: list[AddressInfo]


class SystemResolver(AbstractResolver):
    """``getaddrinfo``: hosts file, nsswitch, search list and IPv6 as on this machine. One per process."""

    def __init__(self, *, within_s: float = THREAD_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = Threads(LOOKUP_THREADS, "lookup", within_s)
        self._clock = clock
        self._known: OrderedDict[Name, _Known] = OrderedDict()
        self._renewals: dict[tuple[Name, str], asyncio.Task[list[AddressInfo]]] = {}
        """By name and tenant: no tenant waits for what another's share does not allow."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of ``host``; ``socket.gaierror`` when there is none, ``NothingLeft`` without a thread."""
        return [_answer(host, port, info) for info in await self._addresses((host, family))]

    async def close(self) -> None:
        """Nothing to do: its threads end with it."""

    async def _addresses(self, name: Name) -> list[AddressInfo]:
        known = self._last(name)
        if known is not None and self._clock() - known.at_s < FRESH_S:
            return known.found
        renewal = self._renewal(name)
        if known is None:
            await asyncio.wait([renewal])  # whoever waits no longer does not end it for others
            return renewal.result()
        await asyncio.wait([renewal], timeout=RENEWAL_S)
        return known.found if _no_news(renewal) else renewal.result()

    def _last(self, name: Name) -> _Known | None:
        known = self._known.get(name)
        if known is None or self._clock() - known.at_s >= LAST_S:
            return None
        known.found.append(known.found.pop(0))  # each of several addresses has its turn
        return known

    def _renewal(self, name: Name) -> asyncio.Task[list[AddressInfo]]:
        key = name, TENANT.get()
        renewal = self._renewals.get(key)
        if renewal is None:
            renewal = self._renewals[key] = asyncio.create_task(self._look_up(name), name=f"lookup {name[0]}")
            renewal.add_done_callback(partial(self._renewed, key))
        return renewal

    async def _look_up(self, name: Name) -> list[AddressInfo]:
        host, family = name
        look_up = partial(
            socket.getaddrinfo, host, 0, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return list(await self._threads.run(look_up))

    def _renewed(self, key: tuple[Name, str], renewal: asyncio.Task[list[AddressInfo]]) -> None:
        del self._renewals[key]
        if renewal.cancelled() or renewal.exception() is not None or not renewal.result():
            return
        name = key[0]
        self._known[name] = _Known(self._clock(), list(renewal.result()))
        self._known.move_to_end(name)
        if len(self._known) > KEPT_NAMES:
            self._known.popitem(last=False)


def _no_news(renewal: asyncio.Task[list[AddressInfo]]) -> bool:
    """True while it is pending, or when it only says that nothing can be said now."""
    if not renewal.done():
        return True
    error = None if renewal.cancelled() else renewal.exception()
    return isinstance(error, NothingLeft) or (isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN)


def _answer(host: str, port: int, info: AddressInfo) -> ResolveResult:
    family, _, proto, _, address = info
    return ResolveResult(
        hostname=host,
        host=str(address[0]),
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )

"""Turns host names into addresses, in its own threads. Never decides alone whether an address may be reached.

A slow name server blocks a thread per name, so lookups have threads of their own instead of the event loop's.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

LOOKUP_THREADS = 64

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""One answer of ``getaddrinfo``."""


class SystemResolver(AbstractResolver):
    """``getaddrinfo``; at most ``LOOKUP_THREADS`` names at a time. Idle threads end with this object."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of ``host``; ``socket.gaierror`` when there is none."""
        look_up = partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [_answer(host, port, info) for info in found]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


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

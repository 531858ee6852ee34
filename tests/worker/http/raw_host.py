"""A product host that is a raw socket on loopback. Holds no test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.raw_server import RawServer, Talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """The URL of a host that talks on each connection as told."""
    async with RawServer(talk) as server:
        yield f"{server.url}/in?a=b#part"


async def request(reader: asyncio.StreamReader) -> bytes:
    """The next request whose body is ``{}``."""
    return await reader.readuntil(b"\r\n\r\n{}")

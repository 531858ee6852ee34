"""Product hosts that misbehave on the wire: one raw server whose paths each behave badly in their own way."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.raw_server import RawServer

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(100_000_000), 1)


def writes(*chunks: bytes) -> Behaviour:
    """Writes and closes."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    return behave


def repeats(head: bytes, block: bytes, every_s: float = 0.0) -> Behaviour:
    """Writes ``block`` for ever, as fast as it is taken or every so often."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(every_s)

    return behave


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def breaks_a_chunk(writer: asyncio.StreamWriter) -> None:
    """Apart from the status line: aiohttp tells nothing of a status that comes in the same packet."""
    writer.write(CHUNKED)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.write(b"zz\r\nno chunk\r\n")


async def many_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    for n in range(1000):
        writer.write(b"".join(b"X-%d-%d: y\r\n" % (n, m) for m in range(1000)))
        await writer.drain()
    writer.write(b"\r\n")


KINDS: dict[str, Behaviour] = {
    "silence": repeats(b"", b"", 0.05),
    "dripping headers": repeats(OK, b"X-A: b\r\n", 0.02),
    "endless 100 Continue": repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "instant close": writes(),
    "reset": resets,
    "garbage": writes(b"\x16\x03\x01 not http at all\r\n\r\n"),
    "a million headers": many_headers,
    "a header of 10 MB": writes(OK + b"X-Big: " + b"y" * 10_000_000 + b"\r\n\r\n"),
    "dripping body": repeats(OK + b"\r\n", b".", 0.02),
    "endless body": repeats(OK + b"\r\n", b"x" * 65_536),
    "endless chunks": repeats(CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "broken chunk": breaks_a_chunk,
    "truncated body": writes(OK + b"Content-Length: 100\r\n\r\n", b'{"success":tr'),
    "gzip bomb": writes(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
}


@asynccontextmanager
async def hostile_host() -> AsyncIterator[str]:
    """The URL of a host; ``/<position of the kind in KINDS>`` behaves like that kind."""
    kinds = list(KINDS.values())

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        await reader.readuntil(b"\r\n\r\n")
        await kinds[int(line.split(b" ")[1].lstrip(b"/"))](writer)

    async with RawServer(behave) as server:
        yield server.url

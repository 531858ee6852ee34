"""A server of raw connections on loopback that says exactly what a test wants, and leaves no socket behind."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

from tests.serving import close

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Talks on each connection as told. Use as ``async with``: at its end every connection is cut.

    A connection is known from the moment it is made, not from when its talk begins: a talk that is cancelled before
    its first step would leave its socket open, to be reported in whichever test the garbage is collected.
    """

    def __init__(self, talk: Talk, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._talk, self._address, self._tls = talk, address, tls
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{self._address}:{self.port}"

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._accepted, self._address, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await close(self._server)
        self._server = None
        cut = list(self._talks)
        self.cut_all()
        await asyncio.gather(*cut, return_exceptions=True)

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._talks)

    def cut_all(self) -> None:
        """Close every connection now."""
        for talk, writer in self._talks.items():
            talk.cancel()
            writer.transport.abort()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talked(reader, writer))
        self._talks[talk] = writer
        talk.add_done_callback(self._talks.pop)

    async def _talked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            writer.close()

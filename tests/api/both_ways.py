"""One API on two ports: on one it begins accepts at once, on the other each goes aiohttp's way. Holds no test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from multidict import MultiMapping

from dispatcher.api.http.aiohttp_inside.connection import Connection, connection_arguments
from dispatcher.api.http.at_once import AT_ONCE, Begun
from dispatcher.api.http.response.middleware import EDGE
from dispatcher.model.access import Scope
from tests.api.conftest import Api
from tests.serving import close

ONLY_OF_ONE = (
    (rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", b"ID"),
    (rb"X-Request-Id: [0-9a-f]{10,16}(-[0-9a-f]+)?\r", b"X-Request-Id: N\r"),
    (rb'"requestId":"[0-9a-f]{10,16}(-[0-9a-f]+)?"', b'"requestId":"N"'),
    (rb"Date: [^\r]+", b"Date: D"),
    (rb'"client";r=\d+;t=\d+', b'"client";r=R;t=T'),
)
"""Parts that differ between any two answers."""


@dataclass
class Ways:
    """Ports of one API: of connections as they are, and of the same that begin nothing themselves."""

    prompt: int
    general: int
    begun: list[bytes]
    tokens: Mapping[str, tuple[bytes, bytes]]

    async def both(self, *pieces: bytes) -> tuple[bytes, bytes]:
        prompt = await self._answer(self.prompt, 0, pieces)
        return prompt, await self._answer(self.general, 1, pieces)

    async def _answer(self, port: int, way: int, pieces: tuple[bytes, ...]) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(self._of(way, piece))
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            said = await reader.read()
        writer.close()
        for pattern, word in ONLY_OF_ONE:
            said = re.sub(pattern, word, said)
        return said

    def _of(self, way: int, piece: bytes) -> bytes:
        for name, tokens in self.tokens.items():
            piece = piece.replace(name.encode(), tokens[way])
        return piece


@asynccontextmanager
async def both_ways(api: Api) -> AsyncIterator[Ways]:
    server, begun = api.http.server.handler, list[bytes]()
    assert server is not None
    begin = api.http.app[AT_ONCE]["/v1/events"]

    def counted(headers: MultiMapping[str], raw: bytes) -> Begun | None:
        if (found := begin(headers, raw)) is not None:
            begun.append(raw)
        return found

    api.http.app[EDGE]._numbers = count(1 << 20)  # request ids of one length: so are answers
    at_once: Any = api.http.app[AT_ONCE]
    at_once["/v1/events"] = counted
    loop = asyncio.get_running_loop()
    plain = partial(Connection, server, loop=loop, **connection_arguments())
    general = await loop.create_server(plain, "127.0.0.1", 0)
    prompt_port, general_port = api.http.port, general.sockets[0].getsockname()[1]
    assert prompt_port is not None
    try:
        yield Ways(prompt_port, general_port, begun, await tokens_of(api))
    finally:
        await close(general)


async def tokens_of(api: Api) -> dict[str, tuple[bytes, bytes]]:
    """By the word in its place, one for each way where what is counted would differ."""
    writes, clients = frozenset({Scope.EVENTS_WRITE.value}), api.services.clients

    async def token(scopes: frozenset[str], account_id: str | None = None, rate: float | None = None) -> bytes:
        client, secret = await clients.create(scopes, "test", account_id, 0, rate_per_s=rate)
        return (await api.token(client.client_id, secret)).encode()

    admin = api.headers["Authorization"].removeprefix("Bearer ").encode()
    own, reads = await token(writes, "A-1"), await token(frozenset({Scope.EVENTS_READ.value}))
    rated = await token(writes, rate=50.0), await token(writes, rate=50.0)
    return {"TOKEN": (admin, admin), "OWN": (own, own), "READS": (reads, reads), "RATED": rated, "WAY": (b"w1", b"w2")}

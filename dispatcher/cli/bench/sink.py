"""The product host of a benchmark: the least that can answer a POST. ``python -m dispatcher.cli.bench.sink [PORT]``.

Shared by everything that delivers, so that its cost is the same for all. Keeps the time of every arrival
(``CLOCK_MONOTONIC``, which all processes share) and, when asked to, the event ids. Listens on loopback alone: for
notifications on one port, for the benchmark's questions on another, so that whoever is led here can ask nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from array import array
from typing import cast

import orjson
import uvloop

HOST = "127.0.0.1"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"success":true}'
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
MOST_HEAD_BYTES = 64 * 1024
MOST_BODY_BYTES = 4 * 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9})", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)


class Arrivals:
    """Requests since the last reset."""

    def __init__(self) -> None:
        self.times_s = array("d")
        self.ids: list[str] | None = None

    def add(self, event_id: bytes) -> None:
        self.times_s.append(time.monotonic())
        if self.ids is not None:
            self.ids.append(event_id.decode(errors="replace"))

    def answer(self, path: bytes) -> bytes:
        """To ``/count``, ``/times``, ``/ids``, ``/reset`` or ``/reset-with-ids``."""
        if path == b"/times":
            return self.times_s.tobytes()
        if path == b"/ids":
            return orjson.dumps(self.ids or [])
        if path.startswith(b"/reset"):
            self.times_s = array("d")
            self.ids = [] if path == b"/reset-with-ids" else None
        return b"%d" % len(self.times_s)


class Receiver(asyncio.Protocol):
    """One connection, pipelined or not, of those who deliver."""

    __slots__ = ("_arrivals", "_rest", "_transport")

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        body_bytes = 0
        while (head := data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(data, 0, head)
            body_bytes = int(length[1]) if length else 0
            end = head + 4 + body_bytes
            if len(data) < end:
                break
            self._take(data, head)
            data = data[end:]
        self._rest = data
        if body_bytes > MOST_BODY_BYTES or (head < 0 and len(data) > MOST_HEAD_BYTES):
            self._transport.write(REFUSAL)
            self._transport.close()

    def _take(self, data: bytes, head: int) -> None:
        found = _ID.search(data, 0, head + 2)
        self._arrivals.add(found[1] if found else b"")
        self._transport.write(ANSWER)


class Questions(Receiver):
    """One connection of the benchmark itself."""

    __slots__ = ()

    def _take(self, data: bytes, head: int) -> None:
        body = self._arrivals.answer(data[:head].split(b" ", 2)[1])
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def main(port: int) -> None:
    arrivals, loop = Arrivals(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(arrivals), HOST, port, backlog=2048)
    asked = await loop.create_server(lambda: Questions(arrivals), HOST, 0)
    ports = [one.sockets[0].getsockname()[1] for one in (server, asked)]
    print(f"listening on {ports[0]} and for questions on {ports[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(int(sys.argv[1]) if sys.argv[1:] else 0))

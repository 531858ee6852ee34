"""The product host of the benchmark: the least that can answer a POST. ``python -m bench.sink`` says its port.

Shared by everything that delivers, so that its cost is the same for all. Keeps the time of every arrival
(``CLOCK_MONOTONIC``, which all processes share) and, when asked to, the event ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from array import array
from typing import cast

import orjson
import uvloop

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"success":true}'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)


class Arrivals:
    """Requests since the last reset."""

    def __init__(self) -> None:
        self.times_s = array("d")
        self.ids: list[str] | None = None

    def answer(self, line: bytes) -> bytes:
        """To ``GET /count``, ``/times``, ``/ids``, ``/reset`` or ``/reset-with-ids``."""
        path = line.split(b" ", 2)[1]
        if path == b"/times":
            return self.times_s.tobytes()
        if path == b"/ids":
            return orjson.dumps(self.ids or [])
        if path.startswith(b"/reset"):
            self.times_s = array("d")
            self.ids = [] if path == b"/reset-with-ids" else None
        return b"%d" % len(self.times_s)


class Receiver(asyncio.Protocol):
    """One connection, pipelined or not."""

    __slots__ = ("_arrivals", "_rest", "_transport")

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        while (head := data.find(b"\r\n\r\n")) >= 0:
            if data.startswith(b"GET "):
                body = self._arrivals.answer(data[:head])
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                data = data[head + 4 :]
                continue
            length = _LENGTH.search(data, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(data) < end:
                break
            self._take(data, head)
            data = data[end:]
        self._rest = data

    def _take(self, data: bytes, head: int) -> None:
        self._arrivals.times_s.append(time.monotonic())
        if self._arrivals.ids is not None:
            found = _ID.search(data, 0, head + 2)
            self._arrivals.ids.append(found[1].decode() if found else "")
        self._transport.write(ANSWER)


async def main() -> None:
    arrivals = Arrivals()
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(arrivals), "127.0.0.1", 0, backlog=2048)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())

"""Generates requests faster than a server answers them: raw sockets, keep-alive, one request at a time on each.

``python -m bench.rig.load`` with a JSON task on standard input: port, path, token, connections, requests, bodies, and
if each request is ``keyed``.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from typing import Any, cast

import orjson
import uvloop

_KEY = b"key-of-the-request"
"""In the place of an idempotency key, which is another for each request."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Remaining:
    """Requests still to be sent, shared by all connections."""

    def __init__(self, requests: list[bytes], count: int) -> None:
        self._requests = requests
        self.left = count
        self.answered = 0
        self.statuses: Counter[int] = Counter()
        self.done = asyncio.Event()
        self._count = count
        self._first_key = time.time_ns()

    def take(self) -> bytes | None:
        if self.left == 0:
            return None
        self.left -= 1
        return self._requests[self.left % len(self._requests)].replace(_KEY, b"%d" % (self._first_key + self.left), 1)

    def note(self, status: int) -> None:
        self.statuses[status] += 1
        self.answered += 1
        if self.answered == self._count:
            self.done.set()


class Client(asyncio.Protocol):
    """Sends the next request when the answer to the last one is complete."""

    def __init__(self, remaining: Remaining) -> None:
        self._remaining = remaining
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._got, 0, head + 2)
        if len(self._got) < head + 4 + int(length[1] if length else 0):
            return
        self._remaining.note(int(self._got[9:12]))
        self._got = b""
        self._send()

    def _send(self) -> None:
        request = self._remaining.take()
        if request is not None:
            self._transport.write(request)


def request_bytes(task: dict[str, Any], body: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {task['path']} HTTP/1.1\r\nHost: 127.0.0.1:{task['port']}\r\nAuthorization: Bearer {task['token']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    )
    key = b"Idempotency-Key: " + _KEY + b"\r\n" if task.get("keyed") else b""
    return head.encode() + key + b"\r\n" + content


async def main() -> None:
    task: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    remaining = Remaining([request_bytes(task, body) for body in task["bodies"]], task["requests"])
    loop = asyncio.get_running_loop()
    begun_s = time.perf_counter()
    for _ in range(task["connections"]):
        await loop.create_connection(lambda: Client(remaining), "127.0.0.1", task["port"])
    async with asyncio.timeout(120):
        await remaining.done.wait()
    taken_s = time.perf_counter() - begun_s
    statuses = {str(status): count for status, count in remaining.statuses.items()}
    answer = {"rate_per_s": task["requests"] / taken_s, "statuses": statuses, "cpu_s": time.process_time()}
    print(orjson.dumps(answer).decode())


if __name__ == "__main__":
    uvloop.run(main())

"""The first peer: the shortest aiohttp program that POSTs signed notifications. No queue, no store, no retries.

``python -m bench.peers.bare_posts`` with a JSON task on standard input.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import aiohttp
import orjson
import uvloop

from bench.rig.traffic import SECRET, events
from dispatcher.cli.processes.startup import collect_rarely
from dispatcher.model.event import Event, EventState
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.notification.signing import SigningKey, parse_secret, sign
from dispatcher.store.queue.events import QueueStore

PARTNER = "DISPATCHER"
BASE_URL = "http://127.0.0.1:8080"


def notification(event: Event) -> bytes:
    """The bytes that the worker would send for ``event``."""
    state = EventState(Status.QUEUED, int(time.time() * 1000), sequence=1)
    return build_body(event, state, base_url=BASE_URL, partner=PARTNER, account_identifier=None)


def signed_headers(event: Event, body: bytes, keys: list[SigningKey]) -> dict[str, str]:
    """The headers that the worker would send with them."""
    now_s = int(time.time())
    return {
        "Content-Type": "application/json",
        "webhook-id": event.id,
        "x-event-type": event.type.value,
        "x-delivery-attempt": "1",
        "webhook-timestamp": str(now_s),
        "webhook-signature": sign(keys, event.id, now_s, body),
    }


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "bench/1"}
    )


async def post_all(task: dict[str, Any], waiting: list[Event]) -> None:
    keys = [parse_secret(SECRET)]
    body = notification(waiting[0])

    async def post_next(http: aiohttp.ClientSession) -> None:
        while waiting:
            event = waiting.pop()
            async with http.post(task["url"], data=body, headers=signed_headers(event, body, keys)) as answer:
                await answer.read()

    async with session() as http:
        await asyncio.gather(*(post_next(http) for _ in range(task["concurrency"])))


async def main() -> None:
    task: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    queue = QueueStore(None, partitions=16, retention_ms=1)  # type: ignore[arg-type]
    waiting = list(events(queue, task["count"], task["integrations"], task["integrations"]))
    await asyncio.sleep(0)
    begun_s = time.process_time()
    await post_all(task, waiting)
    print(orjson.dumps({"cpu_us": (time.process_time() - begun_s) / task["count"] * 1e6}).decode())


if __name__ == "__main__":
    collect_rarely()
    uvloop.run(main())

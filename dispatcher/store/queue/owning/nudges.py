"""Hears of new work for a sleeping owner, and of events that an accept claimed for it.

What is missed while the connection is away is asked for afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.codec import Given, read_given
from dispatcher.store.redis.connection import connect_listener, guarded
from dispatcher.store.redis.subscription import next_message

PAUSE_S = 0.5

log = structlog.get_logger("nudges")


async def follow_nudges(
    url: str, worker_id: str, nudged: Callable[[int | None], None], given: Callable[[Given], None]
) -> None:
    """Call ``nudged`` with a partition, or with None (any of them) whenever some may have been missed. Never ends."""
    hear = partial(_hear, nudged, given)
    while True:
        try:
            with guarded():
                async with (
                    connect_listener(url, client_name="dispatcher-nudges") as client,
                    client.pubsub(ignore_subscribe_messages=True) as subscription,
                ):
                    await subscription.subscribe(keys.nudge_channel(worker_id))
                    nudged(None)
                    while True:
                        message = await next_message(subscription)
                        if message is not None:
                            hear(message["data"])
        except StoreUnavailable as error:
            log.warning("nudges unavailable", error=str(error), retry_in_s=PAUSE_S)
        await asyncio.sleep(PAUSE_S)


def _hear(nudged: Callable[[int | None], None], given: Callable[[Given], None], data: bytes) -> None:
    try:
        if b"\n" in data:
            given(read_given(data))
        else:
            nudged(int(data))
    except ValueError:
        log.warning("nudge of another kind", size_bytes=len(data))
        nudged(None)

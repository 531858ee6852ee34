"""Reads a subscription, and finds its connection dead although nobody closed it. Never subscribes.

redis-py asks a silent subscription for a sign of life and does not mind when none comes: where packets are lost without
a word it would listen to nothing until the kernel gives up, a quarter of an hour later.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as Unreachable

from dispatcher.periodic import until_next

POLL_S = 1.0
"""Of silence, after which it is asked for a sign of life where that is due; at moments of other periodic work."""
ANSWER_WITHIN_S = 3.0


async def next_message(subscription: PubSub) -> dict[str, Any] | None:
    """The next message, or None after a while. Raises redis-py's ConnectionError when the connection is dead."""
    silent_s = until_next(POLL_S, asyncio.get_running_loop().time())
    message: dict[str, Any] | None = await subscription.get_message(timeout=silent_s)
    connection = subscription.connection
    if message is None and connection is not None:
        overdue_s = asyncio.get_running_loop().time() - connection.next_health_check
        if overdue_s > ANSWER_WITHIN_S:
            raise Unreachable("a subscription got no answer to its health check")
    return message

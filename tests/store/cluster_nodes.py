"""Nodes of a cluster, as they are when they serve. Holds no test."""

from __future__ import annotations

import redis as redis_sync
from redis.asyncio import Redis

from tests.waiting import wait_until


async def serves_slots(node: Redis) -> bool:
    """The node takes commands for keys: it knows who has every slot."""
    return bool((await node.cluster("INFO"))["cluster_state"] == "ok")


def own_every_slot(node: redis_sync.Redis) -> None:
    """Make a cluster of one node, which begins to serve two seconds later."""
    node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]
    wait_until(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"))  # type: ignore[no-untyped-call]

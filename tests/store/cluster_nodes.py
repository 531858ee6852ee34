"""Nodes of a cluster, as they are when they serve. Holds no test."""

from __future__ import annotations

from redis.asyncio import Redis


async def serves_slots(node: Redis) -> bool:
    """The node takes commands for keys: it knows who has every slot."""
    return bool((await node.cluster("INFO"))["cluster_state"] == "ok")

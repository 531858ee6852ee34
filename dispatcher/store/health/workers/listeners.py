"""Asks which workers listen for nudges, of the node that they all listen at. Listens to nothing itself."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from redis.asyncio import Redis

from dispatcher.errors import StoreUnusable
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.connection import guarded

log = structlog.get_logger("listeners")


class Listeners:
    """``client`` is one of ``connect_listener``: in a cluster, each node counts its own subscribers only."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._refused = False

    async def among(self, workers: Collection[str]) -> frozenset[str]:
        """Those of ``workers`` that listen; none where the user of Redis may not ask, which is told once."""
        channels = {keys.nudge_channel(worker): worker for worker in workers}
        try:
            with guarded():
                counted = await self._client.pubsub_numsub(*channels)
        except StoreUnusable as error:
            if not self._refused:
                log.warning("a lost worker is found by its lease only", error=str(error))
            self._refused = True
            return frozenset()
        self._refused = False
        return frozenset(channels[channel.decode()] for channel, listening in counted if listening)

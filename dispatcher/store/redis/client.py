"""The type of a client of Redis, for layers that only pass it on and may not import redis-py."""

from __future__ import annotations

from redis.asyncio import Redis

StoreClient = Redis
"""Result of ``connect``, and the first argument of every store."""

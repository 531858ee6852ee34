"""Keys that sign access tokens, sealed in Redis and shared by every API process. Never opens or uses one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

_CURRENT = "current"
_REPLACE = script("secrets/replace_field", keys.JWT_KEYS)


class SigningKeyStore:
    """The first API process to start offers a key; all others take that one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def current(self) -> str | None:
        """The sealed key that signs, if any process has started before."""
        with guarded():
            stored = await cast("Awaitable[bytes | None]", self._redis.hget(keys.JWT_KEYS, _CURRENT))
        return stored.decode() if stored else None

    async def offer(self, sealed: str) -> str:
        """Store ``sealed`` unless there is a key; returns the one that is there now."""
        with guarded():
            await cast("Awaitable[bool]", self._redis.hsetnx(keys.JWT_KEYS, _CURRENT, sealed))
        return await self.current() or sealed

    async def replace(self, sealed: str, by: str) -> bool:
        """Put the same key, sealed anew, in the place of ``sealed``; False when that is no longer what is there."""
        return bool(await reply_of(self._redis, _REPLACE.call((), _CURRENT, sealed, by)) == 1)


class RevokedTokens:
    """Access tokens that were revoked before their time, by their ``jti``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, jti: str, ttl_s: int) -> None:
        """Refuse the token for the ``ttl_s`` seconds that it would have been good for."""
        with guarded():
            await self._redis.set(keys.revoked(jti), b"1", ex=max(1, ttl_s))

    async def contains(self, jti: str) -> bool:
        with guarded():
            return bool(await self._redis.exists(keys.revoked(jti)))

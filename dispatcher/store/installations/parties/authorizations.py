"""Authorizations under way, by the SHA-256 of their ``state``. Each is taken once."""

from __future__ import annotations

import hashlib

from redis.asyncio import Redis

from dispatcher.model.authorization import PendingAuthorization
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

KEPT_S = 600
MAX_STATE_CHARS = 128


class AuthorizationStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, state: str, pending: PendingAuthorization) -> None:
        with guarded():
            await self._redis.set(_key(state), write(pending), ex=KEPT_S)

    async def take(self, state: str) -> PendingAuthorization | None:
        """None = unknown, too old, or taken before."""
        if len(state) > MAX_STATE_CHARS:
            return None
        with guarded():
            stored = await self._redis.getdel(_key(state))
        return read(PendingAuthorization, stored) if stored else None


def _key(state: str) -> str:
    return keys.authorization(hashlib.sha256(state.encode()).hexdigest())

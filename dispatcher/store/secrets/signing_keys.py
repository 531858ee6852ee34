"""Keys that sign access tokens, sealed in Redis and shared by every API process. Never opens or uses one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.places import Change, SealedRecord

_CURRENT = "current"


class SigningKeyStore:
    """The first API process to start offers a key; all others take that one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def current(self) -> str | None:
        """The sealed key that signs, if any process has started before."""
        with guarded():
            stored = await cast("Awaitable[bytes | None]", self._redis.hget(definition_keys.JWT_KEYS, _CURRENT))
        return stored.decode() if stored else None

    async def offer(self, sealed: str) -> str:
        """Store ``sealed`` unless there is a key; returns the one that is there now."""
        with guarded():
            await cast("Awaitable[bool]", self._redis.hsetnx(definition_keys.JWT_KEYS, _CURRENT, sealed))
        return await self.current() or sealed


@dataclass(frozen=True, slots=True)
class SealedSigningKey:
    """The key that signs, as a place that is sealed again."""

    redis: Redis
    kind: str = "signing keys"

    async def owners(self) -> list[str]:
        return ["the key that signs access tokens"] if await SigningKeyStore(self.redis).current() else []

    async def records(self, owners: Sequence[str]) -> AsyncIterator[SealedRecord]:
        sealed = await SigningKeyStore(self.redis).current()
        if sealed is not None:
            yield SealedRecord(owners[0], definition_keys.JWT_KEYS, sealed.encode(), _renewed, _CURRENT, values=_value)


def _renewed(record: bytes, change: Change) -> bytes:
    return change(record.decode(), ACCESS_TOKEN_KEY).encode()


def _value(record: bytes) -> list[str]:
    return [record.decode()]


class RevokedTokens:
    """Access tokens that were revoked before their time, by their ``jti``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, jti: str, ttl_s: int) -> None:
        """Refuse the token for the ``ttl_s`` seconds that it would have been good for."""
        with guarded():
            await self._redis.set(deployment_keys.revoked(jti), b"1", ex=max(1, ttl_s))

    async def spend(self, jti: str, ttl_s: int) -> bool:
        """As ``add``; True for the first who does, however many try at once."""
        with guarded():
            return bool(await self._redis.set(deployment_keys.revoked(jti), b"1", ex=max(1, ttl_s), nx=True))

    async def contains(self, jti: str) -> bool:
        with guarded():
            return bool(await self._redis.exists(deployment_keys.revoked(jti)))

"""One-time bearer tokens: what a product host may show, once, to act on the one installation that it is called about.

Only a digest is kept, for ``KEPT_S``. Never tells a token that was used from one that never was.

A token is taken for one call, so that of several calls at once one gets in. It stays taken, also when its process ends
in the middle; only a call that was refused, and so has changed nothing, gives it back.
"""

from __future__ import annotations

import hashlib
import secrets

from redis.asyncio import Redis

from dispatcher.store import keys
from dispatcher.store.redis.connection import guarded

PREFIX = "ins_"
"""Beginning of every such token, so that no other is looked up."""
KEPT_S = 900


class Bearers:
    """Both ends: a worker mints, the API lets in."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def mint(self, installation_id: str) -> str:
        """A new token: 32 random bytes."""
        token = PREFIX + secrets.token_urlsafe(32)
        with guarded():
            await self._redis.set(keys.bearer(_digest(token)), installation_id, ex=KEPT_S)
        return token

    async def is_good(self, token: str, installation_id: str) -> bool:
        """True if it is of that installation, and not taken. It stays so."""
        digest = _digest(token)
        with guarded():
            known, taken = await self._redis.mget([keys.bearer(digest), keys.bearer_taken(digest)])
        return taken is None and known is not None and bool(known.decode() == installation_id)

    async def take(self, token: str, installation_id: str) -> bool:
        """True for the one call that may act with this token of that installation. One of another stays as it is."""
        if not await self.is_good(token, installation_id):
            return False
        with guarded():
            return bool(await self._redis.set(keys.bearer_taken(_digest(token)), 1, nx=True, ex=KEPT_S))

    async def give_back(self, token: str) -> None:
        """Let it be taken again. Its time goes on; only whoever took it may say this."""
        with guarded():
            await self._redis.delete(keys.bearer_taken(_digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

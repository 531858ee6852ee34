"""One-time bearer tokens: what a product host may show, once, to act on the one installation that it is called about.

Only a digest is kept, for ``KEPT_S``. Never tells a token that was used from one that never was.
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
            await self._redis.set(_key(token), installation_id, ex=KEPT_S)
        return token

    async def is_good(self, token: str, installation_id: str) -> bool:
        """True if it is of that installation, and unused. It stays so."""
        with guarded():
            known = await self._redis.get(_key(token))
        return known is not None and bool(known.decode() == installation_id)

    async def use(self, token: str, installation_id: str) -> bool:
        """True at the first use of a token of that installation. One of another stays as it is."""
        if not await self.is_good(token, installation_id):
            return False
        with guarded():
            return await self._redis.getdel(_key(token)) is not None


def _key(token: str) -> str:
    return keys.bearer(hashlib.sha256(token.encode()).hexdigest())

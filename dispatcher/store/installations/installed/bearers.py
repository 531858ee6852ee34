"""One-time bearer tokens: what a product host may show, once, to act on the one installation that it is called about.

Only a digest is kept, for ``KEPT_S``. Never tells a token that was used from one that never was.

A token is good until a call that acted with it has ended well, or in a way that nobody knows. One call at a time holds
it; others wait until that is judged, and only a call that was refused, and so has changed nothing, leaves it good. It
stays held for good by a call whose process ends in the middle.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import Enum, auto

from redis.asyncio import Redis

from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

PREFIX = "ins_"
"""Beginning of every such token, so that no other is looked up."""
KEPT_S = 900


class Taking(Enum):
    HELD = auto()
    HELD_BY_ANOTHER = auto()
    """It may be good again in a moment."""
    NOT_GOOD = auto()


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
        """True if it is of that installation, and not used up."""
        with guarded():
            known = await self._redis.get(keys.bearer(_digest(token)))
        return known is not None and bool(known.decode() == installation_id)

    async def take(self, token: str, installation_id: str) -> Taking:
        """Held from now on by the one call that hears ``HELD``. One of another installation stays as it is."""
        if not await self.is_good(token, installation_id):
            return Taking.NOT_GOOD
        with guarded():
            first = await self._redis.set(keys.bearer_taken(_digest(token)), 1, nx=True, ex=KEPT_S)
        if not first:
            return Taking.HELD_BY_ANOTHER
        if await self.is_good(token, installation_id):
            return Taking.HELD
        await self.give_back(token)
        return Taking.NOT_GOOD

    async def give_back(self, token: str) -> None:
        """Let it be taken again. Its time goes on; only whoever took it may say this."""
        with guarded():
            await self._redis.delete(keys.bearer_taken(_digest(token)))

    async def use_up(self, token: str) -> None:
        """Good for nothing any more; only whoever took it may say this."""
        digest = _digest(token)
        with guarded():
            await self._redis.delete(keys.bearer(digest), keys.bearer_taken(digest))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

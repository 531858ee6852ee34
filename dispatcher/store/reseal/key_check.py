"""A check value, sealed with the newest key in use: who cannot open it lacks that key. Holds no secret."""

from __future__ import annotations

import orjson
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.store.documents.swap import Document, swap
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.secrets.sealing import Sealer, SealError

_CONTEXT, _TEXT = "newest key", "marketplace-dispatcher"


class KeyCheck:
    """One per process."""

    def __init__(self, redis: Redis, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer
        self._seen: bytes | None = None
        self._passed = True

    async def passes(self) -> bool:
        """True when this process has the newest key, or nobody has said yet which one that is.

        While that cannot be read, what it was the last time.
        """
        try:
            stored = await self._read()
        except StoreUnavailable:
            return self._passed
        if stored != self._seen:
            self._seen, self._passed = stored, not stored or self._opens(stored)
        return self._passed

    async def announce(self) -> None:
        """Make this process's first key the newest in use, before it seals anything.

        Never one that was before: a process that is behind makes nothing old new. And only by who has the newest.
        """
        stored = await self._read()
        known = orjson.loads(stored)["keys"] if stored else []
        sealed, key_id = self._sealed()
        if key_id in known or (stored and not self._opens(stored)):
            return
        await self._write(stored, sealed, [*known, key_id])

    async def reset(self) -> None:
        """Make it the newest whatever was before: everything stored was just opened, and sealed with it."""
        sealed, key_id = self._sealed()
        await self._write(await self._read(), sealed, [key_id])

    async def _read(self) -> bytes:
        with guarded():
            return await self._redis.get(keys.SEALED_CHECK) or b""

    async def _write(self, before: bytes, sealed: str, key_ids: list[str]) -> None:
        """Unless another process was faster: then its word is as good."""
        after = orjson.dumps({"sealed": sealed, "keys": key_ids})
        await swap(self._redis, [Document(keys.SEALED_CHECK, before, after)])

    def _sealed(self) -> tuple[str, str]:
        sealed = self._sealer.seal(_TEXT, _CONTEXT)
        return sealed, sealed.split(".")[1]

    def _opens(self, stored: bytes) -> bool:
        try:
            return self._sealer.open(orjson.loads(stored)["sealed"], _CONTEXT) == _TEXT
        except SealError:
            return False

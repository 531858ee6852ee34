"""Pauses of one event type in all integrations: held, and let go on."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

import orjson

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Pause
from dispatcher.store.keys import definitions as keys
from dispatcher.store.queue.views.paused_types import PausedTypes
from dispatcher.store.redis.connection import guarded


class TypePauses(PausedTypes):
    """Raises ``StoreUnavailable`` when Redis did not answer."""

    async def pause(self, kind: EventType, pause: Pause, now_ms: int) -> None:
        """Send nothing of that type; once more changes reason and end."""
        before = await self.of(kind, now_ms)
        said = {"by": pause.by, "reason": pause.reason, "until_ms": pause.until_ms}
        record = orjson.dumps(said | {"since_ms": before.since_ms if before else now_ms}).decode()
        with guarded():
            await cast("Awaitable[int]", self._client.hset(keys.PAUSED_TYPES, kind.value, record))

    async def resume(self, kind: EventType, now_ms: int) -> bool:
        """Let its events go on; False when it was not paused."""
        was_paused = await self.of(kind, now_ms) is not None
        with guarded():
            await cast("Awaitable[int]", self._client.hdel(keys.PAUSED_TYPES, kind.value))
        return was_paused

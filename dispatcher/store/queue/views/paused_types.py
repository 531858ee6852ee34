"""Event types that are paused in all integrations. Read by workers each second; accepting knows nothing of them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

import orjson

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Pause, TypePause
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client


class PausedTypes:
    """Raises ``StoreUnavailable`` when Redis did not answer. A pause that has ended is none."""

    def __init__(self, client: Client) -> None:
        self._client: Any = client

    async def of(self, kind: EventType, now_ms: int) -> TypePause | None:
        with guarded():
            record = await cast("Awaitable[bytes | None]", self._client.hget(keys.PAUSED_TYPES, kind.value))
        return _read(kind, record, now_ms) if record else None

    async def all(self, now_ms: int) -> list[TypePause]:
        """Longest paused first."""
        with guarded():
            found = await cast("Awaitable[dict[bytes, bytes]]", self._client.hgetall(keys.PAUSED_TYPES))
        pauses = [_read(EventType(kind.decode()), record, now_ms) for kind, record in found.items()]
        return sorted((one for one in pauses if one is not None), key=lambda one: (one.since_ms, one.kind))


def _read(kind: EventType, record: bytes, now_ms: int) -> TypePause | None:
    said = orjson.loads(record)
    pause = Pause(said["by"], said["reason"], said["until_ms"])
    over = pause.until_ms is not None and pause.until_ms <= now_ms
    return None if over else TypePause(kind, pause, said["since_ms"])

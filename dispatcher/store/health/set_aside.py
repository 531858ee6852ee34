"""Counts of what intake has set aside, source by source, as its processes counted last. Holds no event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from dispatcher.model.troubles import SetAside
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client
from dispatcher.store.redis.server_time import server_now_ms


async def note(client: Client, source: str, entries: int, reason: str = "") -> None:
    """``reason``: of the newest; empty = as noted before. Raises ``StoreUnavailable``."""
    redis: Any = client
    with guarded():
        if not entries:
            await redis.hdel(keys.SET_ASIDE, source)
            return
        before = _read(source, await redis.hget(keys.SET_ASIDE, source))
        since_ms = before.since_ms if before else await server_now_ms(client)
        found = SetAside(source, entries, since_ms, reason or (before.reason if before else ""))
        await redis.hset(keys.SET_ASIDE, source, orjson.dumps(asdict(found)))


async def set_aside(client: Client) -> Sequence[SetAside]:
    """By the name of the source. Raises ``StoreUnavailable``."""
    redis: Any = client
    with guarded():
        found: dict[bytes, bytes] = await redis.hgetall(keys.SET_ASIDE)
    read = [_read(source.decode(errors="replace"), raw) for source, raw in sorted(found.items())]
    return [one for one in read if one is not None]


def _read(source: str, raw: bytes | None) -> SetAside | None:
    """None for what no ``note`` wrote."""
    try:
        given = orjson.loads(raw or b"")
        return SetAside(source, int(given["entries"]), int(given["since_ms"]), str(given["reason"]))
    except (ValueError, TypeError, KeyError):
        return None

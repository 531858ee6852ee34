"""Checks of the server's own settings and clock, where it may be asked for them. Changes nothing."""

from __future__ import annotations

import time

from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, ResponseError

from dispatcher.errors import StoreUnusable
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.redis.connection import guarded

SKEW_WARN_S = 1.0
SKEW_FAIL_S = 60.0


async def appendfsync(redis: Redis) -> Check:
    findings = {
        "always": (Level.OK, "always"),
        "everysec": (Level.WARN, "everysec: a power failure loses up to two seconds; CONFIG SET appendfsync always"),
        "no": (Level.FAIL, "no: a power failure loses what was accepted; CONFIG SET appendfsync always"),
    }
    return await _configured(redis, "appendfsync", findings)


async def eviction(redis: Redis) -> Check:
    other = (Level.FAIL, "Redis may delete events when memory is short; CONFIG SET maxmemory-policy noeviction")
    return await _configured(redis, "maxmemory-policy", {"noeviction": (Level.OK, "noeviction")}, other)


async def _configured(
    redis: Redis, name: str, findings: dict[str, tuple[Level, str]], other: tuple[Level, str] | None = None
) -> Check:
    try:
        with guarded():
            value = (await redis.config_get(name)).get(name)
    except (ResponseError, RedisClusterException, StoreUnusable) as error:
        return Check(name, Level.WARN, f"cannot be read ({error}): see to it that the provider sets it right")
    level, text = findings.get(str(value), other or (Level.WARN, f"{value}: unknown here"))
    return Check(name, level, text)


async def clock(redis: Redis) -> Check:
    """Compared with the middle of the round trip."""
    before = time.time()
    with guarded():
        seconds, microseconds = await redis.time()
    skew_s = abs((before + time.time()) / 2 - (seconds + microseconds / 1e6))
    if skew_s < SKEW_WARN_S:
        return Check("clock", Level.OK, f"{skew_s * 1000:.0f} ms apart from Redis")
    level = Level.FAIL if skew_s >= SKEW_FAIL_S else Level.WARN
    return Check("clock", level, f"{skew_s:.1f} s apart from Redis: let NTP set both clocks; signatures bear the time")

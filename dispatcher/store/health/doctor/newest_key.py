"""A check of ``dispatcher doctor``: who lacks the newest secret key. Opens nothing but the check value."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from dispatcher.errors import ConfigurationError
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.redis.server_time import server_now_ms
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.secrets.sealing import Sealer

_NAME = "newest key"


async def examine_newest_key(redis: Redis, secret_keys: Sequence[str]) -> Check:
    """Raises StoreUnavailable when Redis goes away."""
    if lacking := await Heartbeats(redis).without_key(await server_now_ms(redis)):
        text = f"{', '.join(lacking)} cannot open what is sealed with it and take no partitions: give them the key"
        return Check(_NAME, Level.FAIL, text)
    try:
        here = not secret_keys or await KeyCheck(redis, Sealer(secret_keys)).passes()
    except ConfigurationError as error:
        return Check(_NAME, Level.FAIL, str(error))
    if not here:
        return Check(_NAME, Level.FAIL, "not in DISPATCHER_SECRET_KEYS here: a worker started so takes no partitions")
    return Check(_NAME, Level.OK, "every worker has it")

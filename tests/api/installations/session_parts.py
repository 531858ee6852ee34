"""Shared by tests of sessions. Holds no test."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from dispatcher.api.installing import INSTALLING, Installing
from tests.api.conftest import Api

PATH = "/v1.0/users/marketplace"


def installing(api: Api) -> Installing:
    assert api.http.app is not None
    return api.http.app[INSTALLING]


async def everything(redis: Redis) -> dict[bytes, Any]:
    """Keys of this room in the store, to see that a refusal left nothing."""
    found = {}
    for key in [one async for one in redis.scan_iter("{def}:*")]:
        if any(part in key for part in (b":acc", b":user", b":con:", b":session", b":mk-")):
            found[key] = await redis.dump(key)
    return found

"""Limits the requests of each client. Takes tokens from the shared buckets in slices; counts nothing by itself.

A slice is a twentieth of a second's worth, so that a busy client costs twenty round trips a second and no more. While
Redis is away each process gives every client its whole rate: a limit protects the service, and is not to end it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from dispatcher.errors import Problem, RequestError, StoreUnavailable
from dispatcher.model.access import Caller
from dispatcher.store.access.rate_limits import Bucket, RateLimits

SLICES_PER_S = 20
STALE_S = 1.0
"""Tokens that were not used for so long are let go."""
CAPACITY = 4096

log = structlog.get_logger("dispatcher.api")


@dataclass(slots=True)
class _Meter:
    bucket: Bucket
    credit: int = 0
    left: int = 0
    granted_s: float = 0.0
    shut_until_s: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spend(self, now_s: float) -> bool:
        if self.credit < 1 or now_s - self.granted_s > STALE_S:
            return False
        self.credit -= 1
        return True

    def headers(self, wait_s: float = 0.0) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers)."""
        most, rate = math.floor(self.bucket.most), self.bucket.rate_per_s
        remaining = self.left + self.credit
        reset_s = math.ceil(wait_s or (most - remaining) / rate)
        policy = f'"client";q={most};w={max(1, math.ceil(most / rate))}'
        return {"RateLimit-Policy": policy, "RateLimit": f'"client";r={remaining};t={max(0, reset_s)}'}


class Meters:
    """One per process. ``burst_s``: how many seconds of its rate a client may use at once."""

    def __init__(self, limits: RateLimits, burst_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._burst_s = burst_s
        self._now = now
        self._meters: dict[str, _Meter] = {}

    async def admit(self, caller: Caller) -> dict[str, str]:
        """The headers of the answer. Raises a 429 ``RequestError`` when the rate is used up."""
        meter = self._meter(caller)
        if not meter.spend(self._now()):
            async with meter.turn:
                if not meter.spend(self._now()):
                    await self._refill(meter)
        return meter.headers()

    def admit_at_once(self, caller: Caller) -> dict[str, str] | None:
        """As ``admit`` where that asks nobody; else None, and nothing is spent."""
        meter = self._meter(caller)
        return meter.headers() if meter.spend(self._now()) else None

    async def _refill(self, meter: _Meter) -> None:
        now_s = self._now()
        if now_s < meter.shut_until_s:
            raise _too_many(meter, meter.shut_until_s - now_s)
        wanted = max(1, int(min(meter.bucket.rate_per_s, meter.bucket.most) / SLICES_PER_S))
        try:
            grant = await self._limits.take(meter.bucket, wanted)
        except StoreUnavailable as error:
            log.warning("rate limits are not shared", error=str(error))
            meter.credit, meter.granted_s = max(1, int(meter.bucket.rate_per_s)) - 1, now_s
            return
        meter.left, meter.granted_s = grant.left, now_s
        if not grant.granted:
            meter.credit, meter.shut_until_s = 0, now_s + grant.wait_s
            raise _too_many(meter, grant.wait_s)
        meter.credit = grant.granted - 1

    def _meter(self, caller: Caller) -> _Meter:
        known = self._meters.get(caller.client_id)
        if known is not None and known.bucket.rate_per_s == caller.rate_per_s:
            return known
        if len(self._meters) >= CAPACITY:
            self._meters.pop(next(iter(self._meters)))
        rate = caller.rate_per_s
        bucket = Bucket(f"client\n{caller.client_id}", rate, max(1.0, rate * self._burst_s))
        made = self._meters[caller.client_id] = _Meter(bucket)
        return made


METERS = web.AppKey("meters", Meters)


def _too_many(meter: _Meter, wait_s: float) -> RequestError:
    seconds = max(1, math.ceil(wait_s))
    text = f"This client may send {meter.bucket.rate_per_s:g} requests per second: go on in {seconds} s."
    headers = {"Retry-After": str(seconds)} | meter.headers(wait_s)
    return RequestError([Problem("rate_limited", text)], 429, headers)

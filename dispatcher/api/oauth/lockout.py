"""Locks out whoever guesses secrets: so many wrong ones per minute for one client from one address, then 429.

Counted by address and client together, so that one wrong configuration behind a shared address shuts out nobody else.
A right secret is not looked at either while the limit is used up; without a client id nothing is counted. An id
that can be read in two ways is counted once in each, so that no other spelling of it gives further guesses.
"""

from __future__ import annotations

import math

from dispatcher.errors import Problem, RequestError
from dispatcher.store.access.rate_limits import Bucket, RateLimits

_MINUTE_S = 60.0


class Lockout:
    """``per_minute`` 0 = any number of wrong secrets, and nothing is asked of the store."""

    def __init__(self, limits: RateLimits, per_minute: int) -> None:
        self._limits = limits
        self._per_minute = per_minute

    async def check(self, address: str | None, *client_ids: str | None) -> None:
        """Raises a 429 ``RequestError`` when too many were wrong."""
        for bucket in self._buckets(address, client_ids):
            grant = await self._limits.take(bucket, 0)
            if grant.left < 1:
                seconds = max(1, math.ceil(grant.wait_s))
                text = f"Too many wrong secrets for this client from this address: try again in {seconds} s."
                raise RequestError([Problem("rate_limited", text)], 429, {"Retry-After": str(seconds)})

    async def wrong(self, address: str | None, *client_ids: str | None) -> None:
        """Count one."""
        for bucket in self._buckets(address, client_ids):
            await self._limits.take(bucket)

    def _buckets(self, address: str | None, client_ids: tuple[str | None, ...]) -> list[Bucket]:
        if not self._per_minute:
            return []
        per_s = self._per_minute / _MINUTE_S
        return [Bucket(f"secret\n{address}\n{one}", per_s, self._per_minute) for one in client_ids if one]

"""Locks out whoever guesses secrets: so many wrong ones per minute for one client from one address, then 429.

Counted by address and client together, so that one wrong configuration behind a shared address shuts out nobody else.
A right secret is not looked at either while the limit is used up; without a client id nothing is counted.
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

    async def check(self, address: str | None, client_id: str | None) -> None:
        """Raises a 429 ``RequestError`` when too many were wrong."""
        if not self._per_minute or not client_id:
            return
        grant = await self._limits.take(self._bucket(address, client_id), 0)
        if grant.left < 1:
            seconds = max(1, math.ceil(grant.wait_s))
            text = f"Too many wrong secrets for this client from this address: try again in {seconds} s."
            raise RequestError([Problem("rate_limited", text)], 429, {"Retry-After": str(seconds)})

    async def wrong(self, address: str | None, client_id: str | None) -> None:
        """Count one."""
        if self._per_minute and client_id:
            await self._limits.take(self._bucket(address, client_id))

    def _bucket(self, address: str | None, client_id: str) -> Bucket:
        return Bucket(f"secret\n{address}\n{client_id}", self._per_minute / _MINUTE_S, self._per_minute)

"""Stops whoever guesses passwords: so many wrong ones per minute for one user name through one client, then 429.

A right password is not looked at either while the limit is used up.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from dispatcher.errors import Problem, RequestError
from dispatcher.store.access.rate_limits import Bucket, RateLimits

_MINUTE_S = 60.0
PASSWORD_LOOKS = ("right", "wrong", "locked_out")


def _nobody(_: str) -> None:
    """Counts nothing."""


class PasswordLockout:
    """``per_minute`` 0 = any number of wrong passwords, and nothing is asked of the store."""

    def __init__(self, limits: RateLimits, per_minute: int, count: Callable[[str], None] = _nobody) -> None:
        """``count`` is told how each look ended: one of ``PASSWORD_LOOKS``."""
        self._limits = limits
        self._per_minute = per_minute
        self._count = count

    @asynccontextmanager
    async def guarding(self, client: str, username: str) -> AsyncIterator[None]:
        """Around the look at a password: raises while too many were wrong, and counts one where the look is a 401."""
        await self.check(client, username)
        try:
            yield
        except RequestError as error:
            if error.status == 401:
                self._count("wrong")
                await self.wrong(client, username)
            raise
        self._count("right")

    async def check(self, client: str, username: str) -> None:
        """Raises a 429 ``RequestError`` when too many were wrong."""
        if not self._per_minute:
            return
        grant = await self._limits.take(self._bucket(client, username), 0)
        if grant.left < 1:
            self._count("locked_out")
            seconds = max(1, math.ceil(grant.wait_s))
            text = f"Too many wrong passwords for this user: try again in {seconds} s."
            raise RequestError([Problem("rate_limited", text, "Password")], 429, {"Retry-After": str(seconds)})

    async def wrong(self, client: str, username: str) -> None:
        """Count one."""
        if self._per_minute:
            await self._limits.take(self._bucket(client, username))

    def _bucket(self, client: str, username: str) -> Bucket:
        name = f"password\n{client}\n{username.casefold()}"
        return Bucket(name, self._per_minute / _MINUTE_S, self._per_minute)

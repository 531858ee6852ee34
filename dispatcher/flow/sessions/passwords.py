"""Passwords of people who sign in: hashed with scrypt (RFC 7914) in a few threads, so that no burst of sign-ins stops
the process. Never keeps one, and never decides who may try. Of a pair that has matched, a digest under a key
of this process is remembered for some minutes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dispatcher.errors import Problem, RequestError
from dispatcher.store.definitions.cache.expiring import ExpiringCache

MAX_PASSWORD_BYTES = 1024
REMEMBERED = 4096
REMEMBERED_S = 300.0
"""A password that has matched is not hashed again for so long: whoever clicks twice costs one hash."""
MAX_WAITING = 200
"""More than this are told to come again: each takes some 50 ms of a processor."""
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters; 128·n·r bytes of memory each."""

    n: int = 2**14
    r: int = 8
    p: int = 1


COST = Cost()


class Passwords:
    """One per process. ``threads``: how many are hashed at once."""

    def __init__(self, threads: int = 2, cost: Cost = COST, max_waiting: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scrypt")
        self._cost = cost
        self._free = max_waiting
        self._key = os.urandom(32)
        self._matched: ExpiringCache[bytes, bool] = ExpiringCache(REMEMBERED, REMEMBERED_S, time.monotonic)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hashed(self, password: str) -> str:
        """``scrypt$n$r$p$salt$hash``, salt and hash in base64."""
        salt = os.urandom(_SALT_BYTES)
        digest = await self._run(password, salt, self._cost)
        cost = self._cost
        parts = ("scrypt", str(cost.n), str(cost.r), str(cost.p), _text(salt), _text(digest))
        stored = "$".join(parts)
        self._matched.put(self._pair(password, stored), True)
        return stored

    async def matches(self, password: str, stored: str) -> bool:
        """True if ``stored`` is a hash of it."""
        pair = self._pair(password, stored)
        if self._matched.get(pair):
            return True
        matched = await self._matches(password, stored)
        if matched:
            self._matched.put(pair, True)
        return matched

    def _pair(self, password: str, stored: str) -> bytes:
        return hashlib.blake2b(f"{stored}\n{password}".encode(), key=self._key).digest()

    async def _matches(self, password: str, stored: str) -> bool:
        try:
            scheme, n, r, p, salt, digest = stored.split("$")
            cost, expected = Cost(int(n), int(r), int(p)), base64.b64decode(digest)
            given = await self._run(password, base64.b64decode(salt), cost)
        except (ValueError, binascii.Error):
            return False
        return scheme == "scrypt" and hmac.compare_digest(given, expected)

    async def _run(self, password: str, salt: bytes, cost: Cost) -> bytes:
        if self._free < 1:
            raise RequestError([Problem("busy", "Too many people sign in at this moment: try again.")], 503, _AGAIN)
        self._free -= 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, _scrypt, password.encode(), salt, cost)
        finally:
            self._free += 1


_AGAIN = {"Retry-After": "1"}


def _scrypt(password: bytes, salt: bytes, cost: Cost) -> bytes:
    memory = 128 * cost.n * cost.r + 2**20
    return hashlib.scrypt(password, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

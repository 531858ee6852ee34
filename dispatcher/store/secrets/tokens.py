"""Access tokens shared by all workers, sealed, each until it expires; and who fetches one now.

Never fetches. A value that cannot be opened or read counts as absent: the token is then fetched again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

T = TypeVar("T")

LOCK_MS = 10_000
_DROP_IF_EQUAL = script("secrets/drop_if_equal")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token endpoint's grant. Both times are seconds since the epoch; equal = good for one attempt only."""

    value: str
    issued_at_s: float
    expires_at_s: float


class Seal(Protocol):
    """The part of ``dispatcher.store.secrets.sealing.Sealer`` that this needs."""

    def seal(self, text: str, context: str) -> str: ...

    def open(self, sealed: str, context: str) -> str: ...


class TokenStore:
    """Every method raises ``StoreUnavailable`` when Redis does not answer or refuses.

    ``pepper`` (up to 64 bytes, equal in all workers) goes into the keys' names, so that whoever reads Redis
    cannot use them to try out short client secrets.
    """

    def __init__(self, redis: Redis, sealer: Seal, pepper: bytes = b"") -> None:
        self._redis = redis
        self._sealer = sealer
        self._pepper = pepper

    async def get(self, fingerprint: str) -> AccessToken | None:
        """The token that some worker fetched, if it has not expired."""
        return self._opened(fingerprint, await _reached(self._redis.get(keys.token(self._name(fingerprint)))))

    async def put(self, fingerprint: str, token: AccessToken, now_s: float) -> None:
        """Keep ``token`` until it expires; one that is about to is not kept."""
        lifetime_ms = int((token.expires_at_s - now_s) * 1000)
        if lifetime_ms > 0:
            text = orjson.dumps([token.value, token.issued_at_s, token.expires_at_s]).decode()
            sealed = self._sealer.seal(text, _context(fingerprint))
            await _reached(self._redis.set(keys.token(self._name(fingerprint)), sealed, px=lifetime_ms))

    async def drop(self, fingerprint: str, value: str) -> bool:
        """Delete the token only if it is still ``value``: a newer one stays."""
        key = keys.token(self._name(fingerprint))
        sealed = await _reached(self._redis.get(key))
        held = self._opened(fingerprint, sealed)
        if sealed is None or held is None or held.value != value:
            return False
        return await self._drop_if_equal(key, sealed.decode())

    async def lock(self, fingerprint: str, owner: str) -> bool:
        """True when ``owner`` is now the one that fetches, for at most ``LOCK_MS``."""
        taken = await _reached(self._redis.set(keys.token_lock(self._name(fingerprint)), owner, nx=True, px=LOCK_MS))
        return bool(taken)

    async def unlock(self, fingerprint: str, owner: str) -> None:
        """Let the next one fetch, unless the lock has passed to somebody else."""
        await self._drop_if_equal(keys.token_lock(self._name(fingerprint)), owner)

    def _name(self, fingerprint: str) -> str:
        return hashlib.blake2b(fingerprint.encode(), digest_size=16, key=self._pepper).hexdigest()

    async def _drop_if_equal(self, key: str, value: str) -> bool:
        return bool(await _reached(reply_of(self._redis, _DROP_IF_EQUAL.call([key], value))) == 1)

    def _opened(self, fingerprint: str, sealed: bytes | None) -> AccessToken | None:
        if sealed is None:
            return None
        try:
            value, issued_at_s, expires_at_s = orjson.loads(self._sealer.open(sealed.decode(), _context(fingerprint)))
        except (ValueError, TypeError, DispatcherError):
            return None
        return AccessToken(value, issued_at_s, expires_at_s)


def _context(fingerprint: str) -> str:
    return f"token:{fingerprint}"


async def _reached(reply: Awaitable[T]) -> T:
    try:
        with guarded():
            return await reply
    except RedisError as error:
        raise StoreUnavailable(f"Redis cannot keep tokens now ({type(error).__name__}: {error})") from error

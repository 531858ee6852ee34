"""Sessions of the console, for whoever asks who is signed in. A session does not need its record to be good.

A record is written when somebody signs in and once in a while as they look on; it is one field of one hash, so that no
write of it has to agree with another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import cast

import orjson
from redis.asyncio import Redis

from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

MOST = 1000
"""Sessions that are kept; with more, those that nobody used for longest are ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session. ``stamp``, ``name``, ``role``: as in its cookie. ``address`` and ``agent``: of its last look.

    Times are epoch seconds.
    """

    id: str
    client_id: str
    stamp: str
    since_s: int
    seen_s: int
    name: str = ""
    role: str = ""
    address: str = ""
    agent: str = ""


class ConsoleSessionStore:
    """One hash of session id → JSON (``keys.CONSOLE_SESSIONS``)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, record: SessionRecord) -> None:
        """Write it over what was noted of the same session."""
        with guarded():
            await cast(
                "Awaitable[int]",
                self._redis.hset(keys.CONSOLE_SESSIONS, record.id, orjson.dumps(asdict(record)).decode()),
            )

    async def all(self) -> list[SessionRecord]:
        """Every record, the session used last first; also of sessions that have ended by themselves."""
        with guarded():
            stored = await cast("Awaitable[list[bytes]]", self._redis.hvals(keys.CONSOLE_SESSIONS))
        return sorted(map(_read, stored), key=lambda one: -one.seen_s)

    async def forget(self, session_ids: Iterable[str]) -> None:
        ids = list(session_ids)
        if ids:
            with guarded():
                await cast("Awaitable[int]", self._redis.hdel(keys.CONSOLE_SESSIONS, *ids))


_NAMES = frozenset(field.name for field in fields(SessionRecord))


def _read(stored: bytes) -> SessionRecord:
    """Without what a newer version may have added."""
    return SessionRecord(**{name: value for name, value in orjson.loads(stored).items() if name in _NAMES})

"""The session of whoever is signed in: a cookie that only this deployment can read, sealed like secrets at rest.

No process has to remember a session. Never asks whether whoever it names may still sign in.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self, TypeVar

import orjson

from dispatcher.store.secrets.sealing import Sealer, SealError

RENEWED_AFTER_S = 60
"""A session in use is noted in its cookie this often at most."""
MAX_COOKIE_CHARS = 3800
"""Browsers keep 4096 bytes of name, value and attributes (RFC 6265bis §5.6)."""


@dataclass(frozen=True, slots=True)
class Life:
    """``idle_s``: without a look at any page for so long it ends; ``whole_s``: from signing in, however busy."""

    idle_s: float
    whole_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The part that every kind of session has. Times are epoch seconds."""

    id: str
    since_s: int
    seen_s: int

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """The session as it was sealed. Raises ``TypeError`` for anything else."""
        return cls(**document)

    def seen(self, now_s: float) -> Self:
        return replace(self, seen_s=int(now_s))

    def needs_renewal(self, now_s: float) -> bool:
        """True where the cookie has to say that the session is still in use."""
        return now_s - self.seen_s > RENEWED_AFTER_S

    def is_good(self, life: Life, now_s: float) -> bool:
        return now_s - self.seen_s < life.idle_s and now_s - self.since_s < life.whole_s

    def ends_s(self, life: Life) -> float:
        """Until when it lasts if nobody looks at any page."""
        return min(self.seen_s + life.idle_s, self.since_s + life.whole_s)

    def sealed(self, sealer: Sealer, context: str) -> str:
        """The text of the cookie."""
        return sealer.seal(orjson.dumps(asdict(self)).decode(), context)


S = TypeVar("S", bound=Session)


def opened(kind: type[S], cookie: str | None, sealer: Sealer, context: str) -> S | None:
    """The session of a cookie that was sealed for ``context``; None for any other text."""
    if not cookie or len(cookie) > MAX_COOKIE_CHARS:
        return None
    try:
        return kind.read(orjson.loads(sealer.open(cookie, context)))
    except (SealError, TypeError, ValueError):
        return None

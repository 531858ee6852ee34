"""Who is signed in: a cookie that only this deployment can read. Never asks whether its client may still sign in.

It is sealed like secrets at rest, so that no process has to remember it.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace

import orjson

from dispatcher.store.secrets.sealing import Sealer, SealError

IDLE_S = 3600
"""Without a look at any page for so long, one has to sign in again."""
LIFETIME_S = 12 * 3600
"""From signing in, however busy."""
RENEWED_AFTER_S = 60
_CONTEXT = "console:session"
_MAX_CHARS = 2048


@dataclass(frozen=True, slots=True)
class Session:
    """``stamp`` names the secret that was used: with another one the session ends. Times are epoch seconds."""

    id: str
    client_id: str
    stamp: str
    since_s: int
    seen_s: int

    @classmethod
    def begun(cls, client_id: str, stamp: str, now_s: float) -> Session:
        return cls(secrets.token_urlsafe(16), client_id, stamp, int(now_s), int(now_s))

    def seen(self, now_s: float) -> Session:
        return replace(self, seen_s=int(now_s))

    def is_good(self, now_s: float) -> bool:
        return now_s - self.seen_s < IDLE_S and now_s - self.since_s < LIFETIME_S

    def sealed(self, sealer: Sealer) -> str:
        """What goes into the cookie."""
        return sealer.seal(orjson.dumps(asdict(self)).decode(), _CONTEXT)


def opened(cookie: str | None, sealer: Sealer, now_s: float) -> Session | None:
    """The session of a cookie; None for every kind of cookie that is not good now."""
    if not cookie or len(cookie) > _MAX_CHARS:
        return None
    try:
        session = Session(**orjson.loads(sealer.open(cookie, _CONTEXT)))
    except (SealError, TypeError, ValueError):
        return None
    return session if session.is_good(now_s) else None

"""The API client that is signed in to the console. Never asks whether it may still sign in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from dispatcher.pages.session import Session, opened
from dispatcher.store.secrets.sealing import Sealer

CONTEXT = "console:session"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession(Session):
    """``stamp`` names the secret that was used: with another one the session ends."""

    client_id: str
    stamp: str
    name: str = ""
    """Of a person, where one is known."""

    @classmethod
    def begun(cls, client_id: str, stamp: str, now_s: float, *, name: str = "") -> ConsoleSession:
        token = secrets.token_urlsafe(16)
        return cls(id=token, client_id=client_id, stamp=stamp, since_s=int(now_s), seen_s=int(now_s), name=name)


def read(cookie: str | None, sealer: Sealer) -> ConsoleSession | None:
    """The session of a cookie of ours, good or not; None for any other."""
    return opened(ConsoleSession, cookie, sealer, CONTEXT)

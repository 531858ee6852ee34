"""The API client that is signed in to the console. Never asks whether it may still sign in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from dispatcher.api.deployment import Deployment
from dispatcher.model.access import is_person
from dispatcher.pages.session import Life, Session, opened
from dispatcher.store.secrets.sealing import Sealer

CONTEXT = "console:session"
PERSON_S = 12 * 3600.0
"""Longest session of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession(Session):
    """``stamp`` names the secret that was used: with another one the session ends."""

    client_id: str
    stamp: str
    name: str = ""
    """Of a person, where one is known."""
    role: str = ""
    """Of a person, as the settings name it; empty = it is an API client's session."""

    @classmethod
    def begun(cls, client_id: str, stamp: str, now_s: float, *, name: str = "", role: str = "") -> ConsoleSession:
        token = secrets.token_urlsafe(16)
        seen_s = int(now_s)
        return cls(id=token, client_id=client_id, stamp=stamp, since_s=seen_s, seen_s=seen_s, name=name, role=role)


def life_of(deployment: Deployment, client_id: str) -> Life:
    """A person is asked elsewhere again within 12 hours: nobody tells us that a group was left."""
    whole_s = deployment.session_lifetime_s
    return Life(deployment.session_idle_s, min(whole_s, PERSON_S) if is_person(client_id) else whole_s)


def read(cookie: str | None, sealer: Sealer) -> ConsoleSession | None:
    """The session of a cookie of ours, good or not; None for any other."""
    return opened(ConsoleSession, cookie, sealer, CONTEXT)

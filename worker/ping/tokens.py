"""Tokens of one ping test: fetched anew, shared by nobody else. So a test shows how the token endpoint is now."""

from __future__ import annotations

from dispatcher.clock import Clock
from dispatcher.store.secrets.tokens import AccessToken, TokenStore
from worker.http.transport_sessions import TransportSessions
from worker.oauth.client import token_source
from worker.oauth.source import TokenSource


class _Unshared(TokenStore):
    """Keeps nothing, and lets everybody fetch."""

    def __init__(self) -> None:
        """Needs no Redis."""

    async def get(self, fingerprint: str) -> AccessToken | None:
        return None

    async def put(self, fingerprint: str, token: AccessToken, now_s: float) -> None:
        """Forgotten at once."""

    async def drop(self, fingerprint: str, value: str) -> bool:
        return False

    async def lock(self, fingerprint: str, owner: str) -> bool:
        return True

    async def unlock(self, fingerprint: str, owner: str) -> None:
        """Nobody waits."""


def fresh_tokens(sessions: TransportSessions, clock: Clock) -> TokenSource:
    """As deliveries have it, but empty and uncounted."""
    return token_source(sessions, _Unshared(), clock)

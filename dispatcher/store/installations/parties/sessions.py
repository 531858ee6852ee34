"""One-time links: made in the step that makes account, user and connector, and opened once.

Only the SHA-256 of a token is kept; it has 256 random bits. Never decides who may have a link.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, replace
from enum import StrEnum

from redis.asyncio import Redis

from dispatcher.model.account import Account
from dispatcher.model.marketplace import MarketplaceSession, SessionState
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.installations.parties.accounts import account_place
from dispatcher.store.installations.writing.editing import Place, Transaction, transacted
from dispatcher.store.keys import installations as keys

LIFETIME_MS = 300_000
REMEMBERED_MS = 86_400_000
"""Time for which a late click learns why nothing opens."""
TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 128


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link as it is kept."""

    session: MarketplaceSession
    expires_ms: int
    state: SessionState = SessionState.ISSUED
    opened_ms: int | None = None


class Opening(StrEnum):
    """The outcome of a click on a one-time link."""

    OPENED = "OPENED"
    EXPIRED = "EXPIRED"
    USED = "USED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Opened:
    """``session`` is the link's own, also where it does not open: it says where the way back leads."""

    outcome: Opening
    session: MarketplaceSession | None = None


def new_token() -> str:
    """base64 of 32 random bytes."""
    return base64.b64encode(os.urandom(TOKEN_BYTES)).decode()


def put_link(transaction: Transaction, token: str, session: MarketplaceSession, now_ms: int) -> Link:
    link = Link(session, now_ms + LIFETIME_MS)
    transaction.write(_place(token), link)
    return link


class SessionStore:
    """``open`` has one winner, however many ask at once."""

    def __init__(self, redis: Redis, noting: Noting | None = None) -> None:
        self._redis = redis
        self._noting = noting

    def noted(self, noting: Noting) -> SessionStore:
        """The same store; each opening is written to the audit log in the same step."""
        return SessionStore(self._redis, noting)

    async def look(self, token: str, now_ms: int) -> Opened:
        """The outcome that opening it would have; consumes nothing."""
        link, account = await self._read(Transaction(self._redis), token)
        return _judged(link, account, now_ms)

    async def open(self, token: str, now_ms: int) -> Opened:
        """Consume the link, if it opens."""

        async def work(transaction: Transaction) -> Opened:
            link, account = await self._read(transaction, token)
            judged = _judged(link, account, now_ms)
            if link is not None and judged.outcome is Opening.OPENED:
                used = replace(link, state=SessionState.CONSUMED, opened_ms=now_ms)
                transaction.write(_place(token), used)
            return judged

        return await transacted(self._redis, work, "The link", self._noting)

    async def _read(self, transaction: Transaction, token: str) -> tuple[Link | None, Account | None]:
        if len(token) > MAX_TOKEN_CHARS:
            return None, None
        link = await transaction.read(_place(token))
        if link is None:
            return None, None
        return link, await transaction.read(account_place(link.session.account_id))


def _judged(link: Link | None, account: Account | None, now_ms: int) -> Opened:
    if link is None or account is None:
        return Opened(Opening.UNKNOWN)
    if link.state is SessionState.CONSUMED:
        return Opened(Opening.USED, link.session)
    if now_ms >= link.expires_ms or link.session.epoch != account.session_epoch:
        return Opened(Opening.EXPIRED, link.session)
    return Opened(Opening.OPENED, link.session)


def _place(token: str) -> Place[Link]:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Place(Link, keys.session(digest), kind="session", id=digest[:16], kept_ms=REMEMBERED_MS)

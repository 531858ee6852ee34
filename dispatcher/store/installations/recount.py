"""Recounts accounts, users, connectors and installations: what an index names is there, and listed where it has to be.

Walks indexes page by page and changes nothing. What changes while it is looked at is looked at once more, so that only
what stays wrong is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, cast

from redis.asyncio import Redis

from dispatcher.model.account import Account
from dispatcher.model.installation import Installation
from dispatcher.store.installations.parties.accounts import account_place, user_place, username_place
from dispatcher.store.installations.parties.connectors import connector_place, entries_place
from dispatcher.store.installations.writing.editing import Place, stored_at
from dispatcher.store.installations.writing.records import read
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

PAGE = 500
MAX_BROKEN = 100
"""Findings that are told one by one."""
LOOKS = 3

_T = TypeVar("_T")
Look = Callable[[], Awaitable[str | None]]


@dataclass(slots=True)
class Recounted:
    """``broken``: what is wrong, by what it is wrong with."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.broken


async def recount_installed(redis: Redis) -> Recounted:
    """Of the whole store."""
    recount = _Recount(redis, Recounted())
    async for marketplace_id in _members(redis, keys.MARKETPLACES):
        async for account_id in _members(redis, keys.accounts_of(int(marketplace_id))):
            await recount.account(account_id, int(marketplace_id))
    async for installation_id in _members(redis, keys.INSTALLATIONS):
        await recount.installation(installation_id)
    return recount.found


@dataclass(frozen=True, slots=True)
class _Recount:
    redis: Redis
    found: Recounted

    async def account(self, account_id: str, marketplace_id: int) -> None:
        look = partial(self._wrong_account, account_id, marketplace_id)
        await self._check(f"account {account_id}", "accounts", look)
        async for user_id in _members(self.redis, keys.users_of(account_id)):
            await self._check(f"user {user_id}", "users", partial(self._wrong_user, user_id, account_id))
        for connector_id, _, integration_id in await self._read(entries_place(account_id)) or []:
            look = partial(self._wrong_connector, connector_id, account_id, integration_id)
            await self._check(f"connector {connector_id}", "connectors", look)

    async def installation(self, installation_id: str) -> None:
        look = partial(self._wrong_installation, installation_id)
        await self._check(f"installation {installation_id}", "installations", look)

    async def _check(self, what: str, kind: str, look: Look) -> None:
        self.found.counts[kind] += 1
        wrong = None
        for _ in range(LOOKS):
            if (wrong := await look()) is None:
                return
        if wrong is not None and len(self.found.broken) < MAX_BROKEN:
            self.found.broken[what] = wrong

    async def _wrong_account(self, account_id: str, marketplace_id: int) -> str | None:
        account: Account | None = await self._read(account_place(account_id))
        if account is None:
            return None if not await self._scored(keys.accounts_of(marketplace_id), account_id) else "has no record"
        return None if account.marketplace_id == marketplace_id else "is listed in another marketplace than its own"

    async def _wrong_user(self, user_id: str, account_id: str) -> str | None:
        user = await self._read(user_place(user_id))
        if user is None:
            return None if not await self._scored(keys.users_of(account_id), user_id) else "has no record"
        if user.account_id != account_id:
            return "is listed in another account than its own"
        named = await self._read(username_place(user.username)) or []
        return None if any(one[1] == user_id for one in named) else "is not found by its name"

    async def _wrong_connector(self, connector_id: int, account_id: str, integration_id: str | None) -> str | None:
        connector = await self._read(connector_place(connector_id))
        if connector is None:
            listed = await self._read(entries_place(account_id)) or []
            return "has no record" if any(one[0] == connector_id for one in listed) else None
        if connector.account_id != account_id:
            return "is listed in another account than its own"
        return None if connector.integration_id == integration_id else "is listed with another integration than its own"

    async def _wrong_installation(self, installation_id: str) -> str | None:
        with guarded():
            record = await self.redis.get(keys.installation(installation_id))
        if not record:
            return "has no record" if await self._scored(keys.INSTALLATIONS, installation_id) else None
        one = read(Installation, bytes(record))
        account_id = one.known_account_id
        indexes = {
            "its account": keys.installations_of_account(account_id) if account_id else None,
            "its integration": keys.installations_of_integration(one.integration_id) if one.integration_id else None,
            "the drafts": keys.DRAFTS if one.draft else None,
            "what waits": keys.PENDING if one.pending_event_id else None,
        }
        for name, index in indexes.items():
            if index is not None and not await self._scored(index, installation_id):
                return f"is not listed in {name}"
        return None

    async def _scored(self, index: str, member: str) -> bool:
        with guarded():
            return await self.redis.zscore(index, member) is not None

    async def _read(self, place: Place[_T]) -> _T | None:
        stored = await stored_at(self.redis, place)
        return place.read(stored) if stored else None


async def _members(redis: Redis, index: str) -> AsyncIterator[str]:
    """Of a sorted set, page by page; what comes or goes meanwhile may be seen or not."""
    cursor = 0
    while True:
        with guarded():
            cursor, page = await cast(
                "Awaitable[tuple[int, list[tuple[bytes, float]]]]", redis.zscan(index, cursor, count=PAGE)
            )
        for member, _ in page:
            yield member.decode()
        if cursor == 0:
            return

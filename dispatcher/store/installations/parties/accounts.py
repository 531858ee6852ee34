"""Accounts and the people who sign in to them. Never decides who may, and never sees a password."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Self

from redis.asyncio import Redis

from dispatcher.errors import NotFound
from dispatcher.model.account import Account, User
from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Operation
from dispatcher.store.installations.writing.editing import Place, Transaction, stored_at, transacted
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

Namesakes = list[tuple[int, str]]
"""Marketplace and id of each user of one name."""


def account_place(account_id: str) -> Place[Account]:
    return Place(Account, keys.account(account_id), kind="account", id=account_id)


def user_place(user_id: str) -> Place[User]:
    return Place(User, keys.user(user_id), kind="user", id=user_id)


def username_place(username: str) -> Place[Namesakes]:
    """The user of that name, in whatever case."""
    return Place(Namesakes, keys.USERNAMES, username.casefold())


class AccountStore:
    """Accounts; one out of ``reach`` reads as absent. With ``noting``, changes are in the audit log as well."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.reach = Reach()
        self._noting: Noting | None = None

    def within(self, reach: Reach) -> Self:
        """The same store as somebody with that reach sees it."""
        view = copy.copy(self)
        view.reach = reach
        return view

    def noted(self, noting: Noting) -> Self:
        """The same store; each change is written to the audit log in the same step."""
        view = copy.copy(self)
        view._noting = noting  # noqa: SLF001 - of its own kind
        return view

    async def find(self, account_id: str) -> Account | None:
        place = account_place(account_id)
        stored = await stored_at(self.redis, place)
        account = place.read(stored) if stored else None
        return account if account and self.reach.holds_account(account) else None

    async def get(self, account_id: str) -> Account:
        """The account, or ``NotFound``."""
        account = await self.find(account_id)
        if account is None:
            raise no_such_account(account_id)
        return account

    async def user(self, user_id: str) -> User | None:
        place = user_place(user_id)
        stored = await stored_at(self.redis, place)
        user = place.read(stored) if stored else None
        return user if user and self.reach.holds_id(user.marketplace_id) else None

    async def users_named(self, username: str) -> list[User]:
        """Everybody within reach who is called so, whatever the case."""
        place = username_place(username)
        stored = await stored_at(self.redis, place)
        found = [await self.user(user_id) for _, user_id in (place.read(stored) if stored else ())]
        return [one for one in found if one is not None]

    async def users_of(self, account_id: str, limit: int = 1000) -> list[User]:
        """The account's people, oldest first."""
        with guarded():
            ids = await self.redis.zrange(keys.users_of(account_id), 0, limit - 1)
        found = [await self.user(one.decode()) for one in ids]
        return [one for one in found if one is not None]

    async def of_marketplace(self, marketplace_id: int, after: int = 0, limit: int = 100) -> list[Account]:
        """Accounts that were made in the marketplace, oldest first, from the one numbered ``after``."""
        with guarded():
            ids = await self.redis.zrange(keys.accounts_of(marketplace_id), after, after + limit - 1)
            records = await self.redis.mget([keys.account(one.decode()) for one in ids]) if ids else []
        found = [account_place("").read(record) for record in records if record]
        return [one for one in found if self.reach.holds_account(one)]

    async def count(self, marketplace_id: int) -> int:
        """Accounts that were made in the marketplace."""
        with guarded():
            return int(await self.redis.zcard(keys.accounts_of(marketplace_id)))

    async def end_sessions(self, account_id: str) -> Account:
        """Sessions and unopened links of this moment have ended. ``NotFound``."""

        async def work(transaction: Transaction) -> Account:
            account = await transaction.read(account_place(account_id))
            if account is None or not self.reach.holds_account(account):
                raise no_such_account(account_id)
            ended = replace(account, session_epoch=account.session_epoch + 1)
            transaction.write(account_place(account_id), ended)
            transaction.announce(account_message(account_id))
            return ended

        return await transacted(self.redis, work, f"Account {account_id}", self._noting)


def put_account(transaction: Transaction, account: Account) -> None:
    """Write a new account, or one that was read before."""
    transaction.write(account_place(account.id), account)
    place = (account.created_ms, account.id)
    transaction.operate(Operation("ZADD", keys.accounts_of(account.marketplace_id), place))


async def put_user(transaction: Transaction, user: User) -> None:
    """Write a new user under its name."""
    namesakes = await transaction.read(username_place(user.username)) or []
    transaction.write(user_place(user.id), user)
    transaction.write(username_place(user.username), [*namesakes, (user.marketplace_id, user.id)])
    transaction.operate(Operation("ZADD", keys.users_of(user.account_id), (user.created_ms, user.id)))


def account_message(account_id: str) -> str:
    """The message that announces a changed account."""
    return f"account:{account_id}"


def no_such_account(account_id: str) -> NotFound:
    return NotFound.of("not_found", f"There is no account {account_id[:128]!r}.", "AccountId")

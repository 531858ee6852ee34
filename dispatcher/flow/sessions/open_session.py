"""Makes a one-time link, with the account, the user and the connector that it needs, in one step.

What was refused left nothing behind, and a repeat of the same call finds what the first one made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dispatcher.errors import NotFound, Problem, Refused, RequestError
from dispatcher.flow.connectors.connectors import Connectors
from dispatcher.flow.connectors.plan import Plan
from dispatcher.flow.sessions.password_lockout import PasswordLockout
from dispatcher.flow.sessions.passwords import Passwords
from dispatcher.flow.sessions.session_target import target_marketplace
from dispatcher.ids import new_uuid
from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.deployment import ConnectorAsked
from dispatcher.model.marketplace import Marketplace, MarketplaceSession
from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.installations.parties.accounts import (
    AccountStore,
    account_place,
    no_such_account,
    put_account,
    put_user,
    user_place,
    username_place,
)
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore, marketplace_place
from dispatcher.store.installations.parties.sessions import new_token, put_link
from dispatcher.store.installations.writing.editing import Transaction, transacted


@dataclass(frozen=True, slots=True)
class SessionAsked:
    """A host application's wish for its user; well-formed, with an ``account_id`` or an ``account_name``."""

    username: str
    password: str
    marketplace_id: int | None = None
    account_id: str | None = None
    account_name: str | None = None
    connector: ConnectorAsked | None = None
    inline_oauth: bool = True
    complete_parameter: str | None = None
    product_id: str | None = None
    language: str | None = None
    host_url: str | None = None
    role: UserRole = UserRole.OWNER
    launch: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """The asker: what exists for it, and the name under which its wrong passwords are counted."""

    client_id: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Issued:
    """``token`` is in clear here, and nowhere afterwards."""

    account_id: str
    marketplace_id: int
    expires_ms: int
    token: str


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """One per process."""

    marketplaces: MarketplaceStore
    accounts: AccountStore
    connectors: Connectors
    passwords: Passwords
    lockout: PasswordLockout

    async def issue(self, asked: SessionAsked, asker: Asker, now_ms: int, noting: Noting) -> Issued:
        """Refuses, in this order: an unknown marketplace or account (404), a user of another account (403), a wrong
        password (401), a connector that cannot be (400). 429 while passwords are being guessed.
        """
        reach = asker.reach
        marketplace = await target_marketplace(
            self.marketplaces.within(reach),
            self.accounts.within(reach),
            asked.marketplace_id,
            asked.account_id if asked.launch else None,
        )
        making = _Making(self, asked, asker, marketplace, now_ms)
        return await transacted(self.accounts.redis, making.tried, "The account", noting)


@dataclass(slots=True)
class _Making:
    """One call, which may need several tries; what hashing has shown is kept for the next one."""

    maker: SessionMaker
    asked: SessionAsked
    asker: Asker
    marketplace: Marketplace
    now_ms: int
    token: str = field(default_factory=new_token)
    hashed: str = ""
    proven: str = ""
    plan: Plan | None = None

    async def tried(self, transaction: Transaction) -> Issued:
        user = await self._known_user(transaction)
        account = await self._known_account(transaction, user)
        if user is not None and (account is None or user.account_id != account.id):
            text = "This user belongs to another account: give that account's AccountId, or another Username."
            raise Refused.of("user_of_another_account", text, "Username")
        if user is not None:
            await self._prove(user)
        plan = await self._connector_plan()
        account = account or self._new_account()
        await self._put_account(transaction, account)
        user = user or await self._put_new_user(transaction, account)
        if plan is not None and self.asked.connector is not None:
            where = (account.id, self.marketplace.id, self.now_ms)
            await self.maker.connectors.deploy(transaction, plan, self.asked.connector, *where)
        link = put_link(transaction, self.token, self._session(account, user), self.now_ms)
        return Issued(account.id, self.marketplace.id, link.expires_ms, self.token)

    async def _known_user(self, transaction: Transaction) -> User | None:
        """The user of that name within reach: of the account asked for, else of this marketplace, else of any."""
        found = []
        for marketplace_id, user_id in await transaction.read(username_place(self.asked.username)) or []:
            holds = self.asker.reach.holds_id(marketplace_id)
            user = await transaction.read(user_place(user_id)) if holds else None
            found += [user] if user is not None else []
        asked, here = self.asked.account_id, self.marketplace.id
        found.sort(key=lambda one: (one.account_id != asked, one.marketplace_id != here))
        return found[0] if found else None

    async def _known_account(self, transaction: Transaction, user: User | None) -> Account | None:
        """The account asked for; None = it is to be made. Without an id it is the one that the user made before."""
        account_id = self.asked.account_id
        if account_id is None:
            mine = await transaction.read(account_place(user.account_id)) if user else None
            return mine if mine and mine.name == self.asked.account_name else None
        account = await transaction.read(account_place(account_id))
        out_of_reach = account is not None and not self.asker.reach.holds_account(account)
        if out_of_reach or (account is None and self.asked.account_name is None):
            raise no_such_account(account_id)
        return account

    async def _prove(self, user: User) -> None:
        """401 for a wrong password."""
        if self.proven == user.password_hash:
            return
        async with self.maker.lockout.guarding(self.asker.client_id, user.username):
            if not await self.maker.passwords.matches(self.asked.password, user.password_hash):
                text = "The Password is not this user's."
                raise RequestError([Problem("wrong_password", text, "Password")], 401)
        self.proven = user.password_hash

    async def _connector_plan(self) -> Plan | None:
        asked = self.asked.connector
        if asked is not None and self.plan is None:
            self.plan = await self.maker.connectors.planner.partner(asked.name, asked.version, self.marketplace)
        return self.plan

    def _new_account(self) -> Account:
        account_id = self.asked.account_id or new_uuid()
        return Account(account_id, self.asked.account_name or "", self.now_ms, self.marketplace.id)

    async def _put_account(self, transaction: Transaction, account: Account) -> None:
        """The account, which keeps in mind where it was shown last, and the marketplace, which has accounts now."""
        shop = await transaction.read(marketplace_place(self.marketplace.id))
        if shop is None:
            text = f"There is no marketplace {self.marketplace.id}."
            raise NotFound.of("not_found", text, "MarketplaceId")
        shown = replace(account, last_marketplace_id=shop.id)
        if await transaction.read(account_place(account.id)) is None:
            transaction.write(marketplace_place(shop.id), replace(shop, has_accounts=True))
            put_account(transaction, shown)
        elif shown != account:
            transaction.write(account_place(account.id), shown)

    async def _put_new_user(self, transaction: Transaction, account: Account) -> User:
        self.hashed = self.hashed or await self.maker.passwords.hashed(self.asked.password)
        home, role = account.marketplace_id, self.asked.role
        user = User(new_uuid(), self.asked.username, account.id, self.now_ms, home, self.hashed, role)
        await put_user(transaction, user)
        return user

    def _session(self, account: Account, user: User) -> MarketplaceSession:
        asked = self.asked
        return MarketplaceSession(
            account.id,
            user.id,
            self.marketplace.id,
            account.session_epoch,
            inline_oauth=asked.inline_oauth,
            complete_parameter=asked.complete_parameter,
            product_id=asked.product_id,
            language=asked.language,
            launch=asked.launch,
            host_url=asked.host_url,
        )

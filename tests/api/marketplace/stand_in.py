"""A small shop in memory, for the pages to be looked at in every state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dispatcher.errors import NotFound, Problem, RequestError, Unprocessable
from dispatcher.ids import new_hex24
from dispatcher.marketplace.ports import (
    Credentials,
    Customer,
    Flows,
    Opened,
    Opening,
    ShownProduct,
    StepEnd,
    StepResult,
)
from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.connector import AccountConnector, ConnectorTemplate
from dispatcher.model.installation import Installation, Mode, Purchase, Standing
from dispatcher.model.marketplace import Marketplace, MarketplaceSession

NOW_MS = 1_800_000_000_000


@dataclass
class StandIn:
    """Everything that the pages call, over dictionaries."""

    marketplaces: dict[int, Marketplace] = field(default_factory=dict)
    shown: list[ShownProduct] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    links: dict[str, Opened] = field(default_factory=dict)
    installed: dict[str, Installation] = field(default_factory=dict)
    connectors: list[AccountConnector] = field(default_factory=list)
    templates: dict[str, ConnectorTemplate] = field(default_factory=dict)
    steps: list[StepResult] = field(default_factory=list)
    refuses: list[Problem] = field(default_factory=list)
    users_of_app: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    once: dict[str, str] = field(default_factory=dict)

    def flows(self) -> Flows:
        return Flows(self, self, self, self, self)

    async def look(self, token: str, now_ms: int) -> Opened:
        return self.links.get(token, Opened(Opening.UNKNOWN))

    async def open(self, token: str, now_ms: int) -> Opened:
        found = await self.look(token, now_ms)
        if found.outcome is Opening.OPENED:
            self.links[token] = replace(found, outcome=Opening.USED)
        return found

    async def sign_in(self, username: str, password: str, marketplace_id: int | None) -> tuple[Account, User]:
        user = next((one for one in self.users.values() if one.username == username), None)
        if user is None or self.passwords.get(user.id) != password:
            raise RequestError([Problem("wrong_password", "wrong")], 401)
        return self.accounts[user.account_id], user

    async def account(self, account_id: str) -> Account | None:
        return self.accounts.get(account_id)

    async def user(self, user_id: str) -> User | None:
        return self.users.get(user_id)

    async def colleagues(self, account_id: str) -> Sequence[User]:
        return [one for one in self.users.values() if one.account_id == account_id]

    async def give_role(self, user: User, role: UserRole, by: Customer) -> None:
        self.users[user.id] = replace(user, role=role)

    async def assigned(self, installation: Installation) -> frozenset[str]:
        return frozenset(self.users_of_app)

    async def assign(self, installation: Installation, user: User, by: Customer) -> None:
        self.users_of_app.add(user.id)

    async def unassign(self, installation: Installation, user: User, by: Customer) -> None:
        self.users_of_app.discard(user.id)

    async def marketplace(self, marketplace_id: int) -> Marketplace | None:
        return self.marketplaces.get(marketplace_id)

    async def only(self) -> Marketplace | None:
        return next(iter(self.marketplaces.values())) if len(self.marketplaces) == 1 else None

    async def products(self, marketplace: Marketplace) -> Sequence[ShownProduct]:
        return self.shown

    async def list(
        self, account_id: str, after: str | None = None, limit: int = 1000
    ) -> tuple[Sequence[Installation], str | None]:
        return [one for one in self.installed.values() if one.account_id == account_id], None

    async def get(self, account_id: str, installation_id: str) -> Installation:
        found = self.installed.get(installation_id)
        if found is None or found.account_id != account_id:
            raise NotFound.of("not_found", "There is no such installation.")
        return found

    async def install(self, customer: Customer, product_id: str, purchase: Purchase, once: str) -> Installation:
        if self.refuses:
            raise Unprocessable(self.refuses)
        if once in self.once:
            return self.installed[self.once[once]]
        product = next(one for one in self.shown if one.product_id == product_id)
        assert product.integration
        assert product.revision
        made = Installation(
            id=new_hex24(),
            account_id=customer.account.id,
            name=product.integration.name,
            created_ms=NOW_MS,
            modified_ms=NOW_MS,
            connector_id=product.integration.connector_id,
            integration_id=product.integration.id,
            product_id=product_id,
            install=product.revision.install_template,
            purchase=purchase,
            creator=customer.user.username,
        )
        self.once[once] = made.id
        return self.put(made)

    def put(self, installation: Installation) -> Installation:
        if installation.mode is Mode.INSTALL and installation.next_step is None:
            installation = replace(installation, mode=Mode.SETTINGS, standing=Standing.SETTING_UP, order_event_id="e")
        self.installed[installation.id] = installation
        self.news.set()
        return installation

    async def check_step(self, installation: Installation, function: str) -> StepResult:
        result = self.steps.pop(0) if self.steps else StepResult(StepEnd.DONE)
        if result.end is StepEnd.DONE:
            done = tuple(
                replace(one, completed=True) if one.installer_function == function else one
                for one in installation.install
            )
            self.put(replace(installation, install=done, standing_text=None))
        elif result.end is StepEnd.REFUSED:
            self.put(replace(installation, standing_text=result.words))
        return result

    async def save_settings(self, installation: Installation, settings: Any, by: Customer) -> Installation:
        return self.put(replace(installation, settings=settings))

    async def uninstall(self, installation: Installation, by: Customer, *, erase: bool) -> Installation | None:
        if any(one.completed and one.uninstaller_function for one in installation.install):
            return self.put(replace(installation, mode=Mode.UNINSTALL, standing=Standing.UNINSTALLING))
        del self.installed[installation.id]
        return None

    async def remove_anyway(self, installation: Installation, by: Customer) -> None:
        del self.installed[installation.id]

    async def retry_order(self, installation: Installation) -> None:
        self.put(replace(installation, standing=Standing.SETTING_UP, standing_text=None))

    async def where_to_open(self, installation: Installation) -> str | None:
        return "https://ledger.example/login"

    async def changes(self, installation_id: str) -> AsyncIterator[None]:
        while True:
            await self.news.wait()
            self.news.clear()
            yield None

    async def of_account(self, account_id: str) -> Sequence[AccountConnector]:
        return [one for one in self.connectors if one.account_id == account_id]

    async def template(self, name: str) -> ConnectorTemplate | None:
        return self.templates.get(name)

    async def save(self, installation: Installation, connection: str, credentials: Credentials, by: Customer) -> None:
        if self.refuses:
            raise Unprocessable(self.refuses)
        done = tuple(
            replace(one, completed=True, connection_id="c" * 24) if one.connection == connection else one
            for one in installation.install
        )
        self.put(replace(installation, install=done))


def link_for(session: MarketplaceSession) -> Opened:
    return Opened(Opening.OPENED, session)

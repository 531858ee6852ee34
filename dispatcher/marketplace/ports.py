"""What the pages need of the use cases. They call, and show what comes of it; no rule lives in a page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from aiohttp import web

from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.connector import AccountConnector, ConnectorAuth, ConnectorTemplate
from dispatcher.model.installation import Installation, Purchase
from dispatcher.model.integration import Integration, Revision
from dispatcher.model.marketplace import Marketplace, MarketplaceSession
from dispatcher.model.product import ProductDetails


class Opening(StrEnum):
    """What comes of a click on a one-time link."""

    OPENED = "OPENED"
    EXPIRED = "EXPIRED"
    USED = "USED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Opened:
    outcome: Opening
    session: MarketplaceSession | None = None


class Links(Protocol):
    async def look(self, token: str, now_ms: int) -> Opened: ...

    async def open(self, token: str, now_ms: int) -> Opened: ...

    async def sign_in(self, username: str, password: str, marketplace_id: int | None) -> tuple[Account, User]: ...


@dataclass(frozen=True, slots=True)
class Customer:
    """Who acts on a page."""

    account: Account
    user: User
    marketplace: Marketplace
    complete_parameter: str | None = None


class People(Protocol):
    async def account(self, account_id: str) -> Account | None: ...

    async def user(self, user_id: str) -> User | None: ...

    async def colleagues(self, account_id: str) -> Sequence[User]: ...

    async def give_role(self, user: User, role: UserRole, by: Customer) -> None: ...

    async def assigned(self, installation: Installation) -> frozenset[str]: ...

    async def assign(self, installation: Installation, user: User, by: Customer) -> None: ...

    async def unassign(self, installation: Installation, user: User, by: Customer) -> None: ...


@dataclass(frozen=True, slots=True)
class ShownProduct:
    """``revision`` None = nothing of it is published, so it cannot be installed."""

    product_id: str
    details: ProductDetails
    integration: Integration | None = None
    revision: Revision | None = None

    @property
    def name(self) -> str:
        return self.details.name or (self.integration.name if self.integration else self.product_id)


class Shelf(Protocol):
    async def marketplace(self, marketplace_id: int) -> Marketplace | None: ...

    async def only(self) -> Marketplace | None: ...

    async def products(self, marketplace: Marketplace) -> Sequence[ShownProduct]: ...


class StepEnd(StrEnum):
    DONE = "DONE"
    REFUSED = "REFUSED"
    AWAY = "AWAY"
    LATER = "LATER"


@dataclass(frozen=True, slots=True)
class StepResult:
    """``words`` are the host's."""

    end: StepEnd
    words: str | None = None


class Installer(Protocol):
    async def list(
        self, account_id: str, after: str | None = None, limit: int = 1000
    ) -> tuple[Sequence[Installation], str | None]: ...

    async def get(self, account_id: str, installation_id: str) -> Installation: ...

    async def install(self, customer: Customer, product_id: str, purchase: Purchase, once: str) -> Installation: ...

    async def check_step(self, installation: Installation, function: str) -> StepResult: ...

    async def save_settings(self, installation: Installation, settings: Any, by: Customer) -> Installation: ...

    async def uninstall(self, installation: Installation, by: Customer, *, erase: bool) -> Installation | None: ...

    async def remove_anyway(self, installation: Installation, by: Customer) -> None: ...

    async def retry_order(self, installation: Installation) -> None: ...

    async def where_to_open(self, installation: Installation) -> str | None: ...

    def changes(self, installation_id: str) -> AsyncIterator[None]: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed. ``secret`` None = what is stored stays."""

    kind: ConnectorAuth
    secret: str | None
    properties: Mapping[str, str] = field(default_factory=dict)


class Connections(Protocol):
    async def of_account(self, account_id: str) -> Sequence[AccountConnector]: ...

    async def template(self, name: str) -> ConnectorTemplate | None: ...

    async def save(
        self, installation: Installation, connection: str, credentials: Credentials, by: Customer
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Flows:
    links: Links
    people: People
    shelf: Shelf
    installer: Installer
    connections: Connections


FLOWS = web.AppKey("marketplace_flows", Flows)

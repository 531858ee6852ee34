"""A marketplace with apps and people in a real store, served on loopback, and somebody before a browser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from dispatcher.api.installing import INSTALLING, Installing
from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.installation import Installation, InstallStep, Mode, Standing
from dispatcher.model.integration import Bookmark, Integration, OrderFormField, Revision
from dispatcher.model.marketplace import Marketplace, MarketplaceSession
from dispatcher.model.product import Edition, ProductDetails
from dispatcher.store.installations.installed.installations import InstallationStore, Written
from dispatcher.store.installations.parties.accounts import put_account, put_user, user_place
from dispatcher.store.installations.parties.sessions import put_link
from dispatcher.store.installations.writing.editing import Transaction, transacted
from tests.api.conftest import Api, Start, publish

SHOP = "/launch/marketplace/27"
ACCOUNT, USER, COLLEAGUE = "acct-x", "user-1", "user-2"
ONE = "5" * 24
PASSWORD = "correct horse"

LEDGER, BIGCOMMERCE, NORTHWIND = "cloud-ledger", "bigcommerce-netsuite", "northwind-backup"
STEPS = (
    InstallStep(
        "NetSuite Connection",
        "Configure NetSuite account credentials",
        "/images/company-logos/netsuite.png",
        installer_function="verifyNetSuiteConnection",
        uninstaller_function="deleteNetSuiteConnection",
    ),
    InstallStep(
        "BigCommerce Connection",
        "Configure BigCommerce store credentials",
        installer_function="verifyBigCommerceConnection",
    ),
    InstallStep(
        "Integrator Bundle",
        "Install it in NetSuite, then let us check.",
        install_url="https://netsuite.example.com/bundles/20038",
        installer_function="verifyIntegratorBundleInstallation",
        uninstaller_function="uninstallVerifyIntegratorBundle",
    ),
    InstallStep("BigCommerce Bundle", installer_function="verifyBigCommerceBundleInstallation"),
)
URLS = {"createUrl": "https://hooks.example.com/orders", "assignUrl": "https://hooks.example.com/users"}
BOOKMARK = Bookmark("https://app.example.com/start")
ASKED = (
    OrderFormField("domain", "Domain", "TEXT", required=True),
    OrderFormField("contact", "Contact", "EMAIL"),
    OrderFormField("keep", "Keep for (days)", "NUMBER", required=True),
    OrderFormField("weekly", "Also a weekly report", "BOOLEAN"),
)
APPS: dict[str, tuple[ProductDetails, Revision]] = {
    LEDGER: (
        ProductDetails("Cloud Ledger", "Bookkeeping that follows every order"),
        Revision(urls=URLS, bookmark=BOOKMARK),
    ),
    BIGCOMMERCE: (
        ProductDetails("BigCommerce – NetSuite", "Orders, customers and stock, both ways"),
        Revision(urls=URLS, bookmark=BOOKMARK, install_template=STEPS),
    ),
    NORTHWIND: (
        ProductDetails(
            "Northwind Backup",
            "Nightly copies of your shop",
            support_url="https://northwind.example.com/help",
            terms_url="https://northwind.example.com/terms",
            editions=(Edition("BASIC", "Basic", "One copy a night"), Edition("PRO", "Professional", "Every hour")),
        ),
        Revision(urls=URLS, bookmark=BOOKMARK, order_require_form_fields=True, order_form_fields=ASKED),
    ),
}


@dataclass
class Shopper:
    """``look`` at pages, ``send`` forms; follows no redirect unasked."""

    api: Api
    installing: Installing
    apps: dict[str, Integration] = field(default_factory=dict)
    links: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.api.http.port}"

    async def link(self, return_url: str = SHOP, **changes: Any) -> str:
        """The address of a new one-time link."""
        self.links += 1
        token = f"token-{self.links}"
        await self.put_link(token, **changes)
        return f"/account/signinwithtoken?token={token}&returnUrl={return_url}"

    async def put_link(self, token: str, **changes: Any) -> None:
        session = MarketplaceSession(ACCOUNT, USER, 27, 0)

        async def work(transaction: Transaction) -> None:
            put_link(transaction, token, replace(session, **changes), self.api.services.now_ms())

        await transacted(self.api.redis, work, "link")

    async def get(self, path: str, **headers: str) -> ClientResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.http.get(path, allow_redirects=False, headers=given)

    async def look(self, path: str = "", status: int = 200, **headers: str) -> str:
        """A page of the marketplace, or at an absolute path."""
        answer = await self.get(path if path.startswith(("/account", SHOP)) else SHOP + path, **headers)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def connect(self, **changes: Any) -> None:
        answer = await self.get(await self.link(**changes))
        assert answer.status == 302, await answer.text()

    async def token(self, page: str) -> str:
        """The one in the forms of a page."""
        return (await self.look(page)).partition('name="form" value="')[2].partition('"')[0]

    async def send(
        self,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        page: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> ClientResponse:
        """The form of ``page``, which is where it is sent to unless said otherwise."""
        form = {"form": await self.token(path if page is None else page), **(fields or {})}
        given = {"Origin": self.origin, **(headers or {})}
        return await self.api.http.post(SHOP + path, data=form, headers=given, allow_redirects=False)

    async def change_marketplace(self, **changes: Any) -> Marketplace:
        return await self.api.services.marketplaces.edit(27, lambda one: replace(one, **changes))

    async def change_user(self, user_id: str, **changes: Any) -> None:
        async def work(transaction: Transaction) -> None:
            user = await transaction.read(user_place(user_id))
            assert user
            transaction.write(user_place(user_id), replace(user, **changes))

        await transacted(self.api.redis, work, "user")

    async def add(self, product_id: str, details: ProductDetails, revision: Revision) -> None:
        """One more app in the marketplace."""
        made = await publish(self.api.services, revision, products=(product_id,))
        self.apps[product_id] = made
        await self.api.services.definitions.describe(product_id, details)
        await self.change_marketplace(
            product_ids=(*(await self.api.services.marketplaces.get(27)).product_ids, product_id)
        )

    async def installed(self, standing: Standing, product_id: str = BIGCOMMERCE, **changes: Any) -> Installation:
        """As it stands in that state, put into the store as it is."""
        integration, now_ms = self.apps[product_id], self.api.services.now_ms()
        mode = {Standing.INSTALLING: Mode.INSTALL, Standing.UNINSTALLING: Mode.UNINSTALL}.get(standing, Mode.SETTINGS)
        steps = APPS[product_id][1].install_template
        done = changes.pop("done", 0 if mode is Mode.INSTALL else len(steps))
        made = Installation(
            id=ONE,
            account_id=ACCOUNT,
            name=integration.name,
            created_ms=now_ms - 3_600_000,
            modified_ms=now_ms,
            connector_id=integration.connector_id,
            integration_id=integration.id,
            product_id=product_id,
            revision=1,
            mode=mode,
            standing=standing,
            install=tuple(replace(one, completed=at < done) for at, one in enumerate(steps)),
            version="1.0.1",
            creator="user@example.com",
            order_event_id=None if standing is Standing.INSTALLING else "e",
            marketplace_id=27,
        )
        made = replace(made, **changes)
        assert await InstallationStore(self.api.redis, self.api.services.cache.revision).write(
            [Written(None, made)], now_ms
        )
        return made


_hashed: list[str] = []
"""``PASSWORD``, hashed by the first who needs it: that takes as long as a test."""


async def people(shopper: Shopper) -> None:
    if not _hashed:
        _hashed.append(await shopper.installing.passwords.hashed(PASSWORD))

    async def work(transaction: Transaction) -> None:
        await put_account_and_users(transaction, _hashed[0])

    await transacted(shopper.api.redis, work, "people")


async def put_account_and_users(transaction: Transaction, hashed: str) -> None:
    put_account(transaction, Account(ACCOUNT, "Customer X", 1, 27))
    await put_user(transaction, User(USER, "user@example.com", ACCOUNT, 1, 27, hashed))
    await put_user(transaction, User(COLLEAGUE, "colleague@example.com", ACCOUNT, 2, 27, hashed, UserRole.MEMBER))


@pytest.fixture
async def shopper(start: Start) -> Shopper:
    """Nobody yet, before Acme's marketplace with three apps."""
    api = await start(public_base_url="http://dispatcher.example")
    shopper = Shopper(api, api.http.app[INSTALLING])
    await api.services.marketplaces.create(Marketplace(27, "Acme's marketplace", 1, 1))
    for product_id, (details, revision) in APPS.items():
        await shopper.add(product_id, details, revision)
    await people(shopper)
    return shopper

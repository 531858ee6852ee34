"""A marketplace's pages over a shop in memory, served on loopback, and somebody before a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES
from dispatcher.marketplace.ports import Opened, Opening, ShownProduct
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.connector import ConnectorTemplate, PropertyRule
from dispatcher.model.installation import Installation, InstallStep, Mode, Standing
from dispatcher.model.integration import Bookmark, Integration, OrderFormField, Revision
from dispatcher.model.marketplace import Brand, Marketplace, MarketplaceSession
from dispatcher.model.product import Edition, ProductDetails
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import Http, SteppedClock, api_settings
from tests.api.marketplace.stand_in import NOW_MS, StandIn

HOME = "/launch/marketplace/27"
ACCOUNT, USER, MEMBER = "acct-x", "user-1", "user-2"


def product(name: str, text: str | None = None, **changes: Any) -> ShownProduct:
    details = ProductDetails(name=name, description=text, **changes.pop("details", {}))
    revision = Revision(
        number=1,
        urls={"createUrl": "https://hooks.example.com/orders", "assignUrl": "https://hooks.example.com/users"},
        bookmark=Bookmark("https://app.example.com"),
        **changes,
    )
    slug = name.lower().replace(" ", "-")
    return ShownProduct(slug, details, Integration(f"i-{slug}", 1, "a" * 24, name, 1, 1), revision)


STEPS = (
    InstallStep(
        "NetSuite Connection",
        "Configure NetSuite account credentials",
        "/images/company-logos/netsuite.png",
        connection="NetSuite",
        installer_function="verifyNetSuiteConnection",
        uninstaller_function="deleteNetSuiteConnection",
    ),
    InstallStep("BigCommerce Connection", "Configure BigCommerce store credentials", connection="BigCommerce"),
    InstallStep(
        "Integrator Bundle",
        "Install it in NetSuite, then let us check.",
        install_url="https://netsuite.example.com/bundles/20038",
        installer_function="verifyIntegratorBundleInstallation",
        uninstaller_function="uninstallVerifyIntegratorBundle",
    ),
    InstallStep("BigCommerce Bundle", installer_function="verifyBigCommerceBundleInstallation"),
)


@dataclass
class Shopper:
    """``look`` at pages, ``send`` forms; follows no redirect unasked."""

    http: Http
    shop: StandIn
    clock: SteppedClock

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.http.port}"

    def link(self, token: str = "t", **changes: Any) -> str:
        session = MarketplaceSession(ACCOUNT, USER, 27, 0)
        self.shop.links[token] = Opened(Opening.OPENED, replace(session, **changes))
        return f"/account/signinwithtoken?token={token}&returnUrl={HOME}"

    async def get(self, path: str, **headers: str) -> ClientResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(path, allow_redirects=False, headers=given)

    async def look(self, path: str = "", status: int = 200, **headers: str) -> str:
        answer = await self.get(HOME + path if not path.startswith("/account") else path, **headers)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def connect(self, **changes: Any) -> None:
        answer = await self.get(self.link(**changes))
        assert answer.status == 302, await answer.text()

    async def send(self, path: str, form: dict[str, str], page: str | None = None, **headers: str) -> ClientResponse:
        """The form of ``page``, which is where it is sent to unless said otherwise."""
        text = await self.look(path if page is None else page)
        token = text.partition('name="form" value="')[2].partition('"')[0]
        return await self.http.post(
            HOME + path,
            data={"form": token, **form},
            headers={"Origin": self.origin, **headers},
            allow_redirects=False,
        )


def furnish(shop: StandIn) -> None:
    """Acme's marketplace with a few apps, and the people of Customer X."""
    shop.marketplaces[27] = Marketplace(27, "Acme's marketplace", 1, 1, brand=Brand())
    shop.accounts[ACCOUNT] = Account(ACCOUNT, "Customer X", 1, 27)
    shop.users[USER] = User(USER, "user@example.com", ACCOUNT, 1, 27, "")
    shop.users[MEMBER] = User(MEMBER, "colleague@example.com", ACCOUNT, 1, 27, "", role=UserRole.MEMBER)
    shop.passwords = {USER: "correct horse"}
    shop.templates["BigCommerce"] = ConnectorTemplate(
        1, "BigCommerce", "1.0", 1, 1, properties=(PropertyRule("Store", required=True), PropertyRule("Region"))
    )
    shop.shown = [
        product("Cloud Ledger", "Bookkeeping that follows every order"),
        product("BigCommerce – NetSuite", "Orders, customers and stock, both ways", install_template=STEPS),
        product(
            "Northwind Backup",
            "Nightly copies of your shop",
            order_require_form_fields=True,
            order_form_fields=(
                OrderFormField("domain", "Domain", "TEXT", required=True),
                OrderFormField("contact", "Contact", "EMAIL"),
                OrderFormField("keep", "Keep for (days)", "NUMBER", required=True),
                OrderFormField("weekly", "Also a weekly report", "BOOLEAN"),
            ),
            details={
                "editions": (
                    Edition("BASIC", "Basic", "One copy a night"),
                    Edition("PRO", "Professional", "Every hour"),
                ),
                "terms_url": "https://northwind.example.com/terms",
                "support_url": "https://northwind.example.com/help",
            },
        ),
    ]


def installed(shop: StandIn, standing: Standing, **changes: Any) -> Installation:
    """Of the product with steps, unless said otherwise."""
    chosen = changes.pop("product", shop.shown[1])
    mode = {Standing.INSTALLING: Mode.INSTALL, Standing.UNINSTALLING: Mode.UNINSTALL}.get(standing, Mode.SETTINGS)
    made = Installation(
        id="5" * 24,
        account_id=ACCOUNT,
        name=chosen.name,
        created_ms=NOW_MS - 3_600_000,
        modified_ms=NOW_MS,
        connector_id="a" * 24,
        integration_id=chosen.integration.id,
        product_id=chosen.product_id,
        mode=mode,
        standing=standing,
        install=tuple(replace(one, completed=mode is not Mode.INSTALL) for one in chosen.revision.install_template),
        version="1.0.1",
        creator="user@example.com",
        order_event_id=None if standing is Standing.INSTALLING else "e",
    )
    made = replace(made, **changes)
    shop.installed[made.id] = made
    return made


@pytest.fixture
async def shopper(redis: Redis, signing_key: str) -> AsyncIterator[Shopper]:
    """Nobody yet."""
    clock, shop = SteppedClock(), StandIn()
    furnish(shop)
    await SigningKeyStore(redis).offer(signing_key)
    app = await build_app(api_settings(public_base_url="http://dispatcher.example"), redis, clock=clock)
    mount_marketplace(app, shop.flows())
    http: Http = TestClient(TestServer(app))
    await http.start_server()
    assert app[SERVICES].clock is clock
    yield Shopper(http, shop, clock)
    await http.close()

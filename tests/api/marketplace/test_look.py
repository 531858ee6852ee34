"""Every page and state in a real browser: accessible, never wider than the screen, light and dark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from dispatcher.model.account import UserRole
from dispatcher.model.installation import Purchase, Standing, Upgrade
from dispatcher.model.marketplace import Brand
from dispatcher.model.product import ProductDetails
from dispatcher.pages import messages as message_catalogue
from dispatcher.pages.messages import DEFAULT, Messages, messages
from tests.api.marketplace.conftest import APPS, BIGCOMMERCE, COLLEAGUE, LEDGER, NORTHWIND, ONE, SHOP, USER, Shopper
from tests.browser import HEIGHT, SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, keep_picture

APP = f"{SHOP}/installations/{ONE}"
SIGN_IN_WITH_TOKEN = "/account/signinwithtoken?token="
SECTIONS = {
    "sections": [
        {
            "title": "Orders",
            "fields": [
                {"name": "prefix", "label": "Prefix", "type": "text", "value": "BC-", "required": True},
                {"name": "mode", "label": "Send", "type": "select", "value": "all", "options": ["all", "paid only"]},
                {"name": "copies", "label": "Copies", "type": "number", "value": 2, "help": "For the warehouse."},
                {"name": "hold", "label": "Hold large orders", "type": "checkbox", "value": True},
            ],
        },
        {"title": "Access", "fields": [{"name": "pin", "label": "PIN", "type": "password", "value": "sealed"}]},
    ],
    "unknown": 1,
}
ANSWERED = Purchase(configuration={"domain": "shop.example"})
NO_FORM = {"sections": [{"temp": "remove_me"}], "commonresources": {"genericExportApiIdentifier": "e7654358b7"}}

LOOKED_AT = ((WIDTHS[0], "light"), (WIDTHS[1], "dark"))
"""Each width and each scheme once: looking for violations takes longest."""

Arrange = Callable[[Shopper], Awaitable[object]]


@dataclass(frozen=True)
class State:
    """A page, and what has to be the case for it to be seen so."""

    path: str
    arrange: Arrange | None = None


def app(standing: Standing, path: str = "", **changes: Any) -> State:
    async def arrange(shopper: Shopper) -> None:
        await shopper.installed(standing, **changes)

    return State(APP + path, arrange)


def home(standing: Standing, **changes: Any) -> State:
    return State(SHOP, app(standing, **changes).arrange)


async def no_apps(shopper: Shopper) -> None:
    await shopper.change_marketplace(product_ids=())


async def many_apps(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, LEDGER)
    names = [f"p-{n}" for n in range(40)]
    for n, name in enumerate(names):
        details = ProductDetails(f"App number {n}", "Orders, customers and stock, both ways")
        await shopper.api.services.definitions.describe(name, details)
    await shopper.change_marketplace(product_ids=(*APPS, *names), brand=Brand(accent="#0a7d4f"))


async def member(shopper: Shopper) -> None:
    await shopper.change_user(USER, role=UserRole.MEMBER)
    await shopper.change_user(COLLEAGUE, role=UserRole.OWNER)


async def events(shopper: Shopper) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "create": {},
        "upgrade": {},
        "assign": {"user": {"email": "anna@example.com"}},
        "cancel": {},
    }
    for kind, payload in kinds.items():
        await shopper.api.emit(type=kind, productId=LEDGER, accountId="acct-x", payload=payload)


async def expired(shopper: Shopper) -> None:
    await shopper.link(host_url="https://shop.example/apps")
    shopper.api.clock.now_s += 301


async def used(shopper: Shopper) -> None:
    await shopper.get(await shopper.link())


async def to_confirm(shopper: Shopper) -> None:
    await shopper.change_marketplace(confirm=True)
    await shopper.link()


STATES: dict[str, State] = {
    "home-empty": State(SHOP, no_apps),
    "home-none-installed": State(SHOP),
    "home-installed": home(Standing.INSTALLED, product_id=LEDGER),
    "home-draft": home(Standing.INSTALLING, done=2),
    "home-many": State(SHOP, many_apps),
    "home-search": State(f"{SHOP}?q=nothing", many_apps),
    "home-attention": home(Standing.NEEDS_ATTENTION, standing_text="BigCommerce answered 401: token revoked."),
    "order-plain": State(f"{SHOP}/products/{LEDGER}"),
    "order-form": State(f"{SHOP}/products/{NORTHWIND}"),
    "order-steps": State(f"{SHOP}/products/{BIGCOMMERCE}"),
    "order-member": State(f"{SHOP}/products/{NORTHWIND}", member),
    "wizard-first": app(Standing.INSTALLING),
    "wizard-third": app(Standing.INSTALLING, done=2),
    "wizard-refused": app(Standing.INSTALLING, done=2, standing_text="The bundle 20038 is not there yet."),
    "wizard-away": app(Standing.INSTALLING, "?step=away", done=2),
    "setting-up": app(Standing.SETTING_UP),
    "refused": app(Standing.REFUSED, standing_text="No seats are left in this plan."),
    "installed": app(Standing.INSTALLED, account_identifier="A-206123", readme="Runs every night."),
    "attention": app(Standing.NEEDS_ATTENTION, standing_text="It answered 401."),
    "update-ready": app(Standing.INSTALLED, upgrade=Upgrade(1), revision=0),
    "update-form": app(
        Standing.INSTALLED, "/update", product_id=NORTHWIND, upgrade=Upgrade(1), revision=0, purchase=ANSWERED
    ),
    "update-steps": app(Standing.INSTALLED, upgrade=Upgrade(2, begun=True), done=3),
    "updating": app(Standing.INSTALLED, update_in_progress=True),
    "uninstalling": app(Standing.UNINSTALLING),
    "uninstall-refused": app(Standing.UNINSTALLING, standing_text="Orders are open.", done=3),
    "settings-form": app(Standing.INSTALLED, "/settings", settings=SECTIONS),
    "settings-raw": app(Standing.INSTALLED, "/settings?said=saved", settings=NO_FORM),
    "settings-none": app(Standing.INSTALLED, "/settings"),
    "settings-locked": app(Standing.INSTALLED, "/settings", settings=SECTIONS, update_in_progress=True),
    "uninstall": app(Standing.INSTALLED, "/uninstall"),
    "people": app(Standing.INSTALLED, "/people", assigned=(COLLEAGUE,)),
    "history-empty": State(f"{SHOP}/history"),
    "history": State(f"{SHOP}/history", events),
    "done": State(f"{SHOP}/done"),
    "nothing-here": State(f"{SHOP}/installations/nothing"),
    "link-expired": State(f"{SIGN_IN_WITH_TOKEN}token-2", expired),
    "link-used": State(f"{SIGN_IN_WITH_TOKEN}token-2", used),
    "link-unknown": State(f"{SIGN_IN_WITH_TOKEN}other&returnUrl={SHOP}"),
    "link-confirm": State(f"{SIGN_IN_WITH_TOKEN}token-2", to_confirm),
    "sign-in": State("/account/signin"),
    "not-signed-in": State("/launch/marketplace/28"),
}


async def connected(page: Page, shopper: Shopper) -> None:
    """Signed in by a one-time link."""
    await page.goto(shopper.origin + await shopper.link())
    await page.wait_for_url(f"**{SHOP}")


@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_accessible_and_fits(
    visitors: Visitors, shopper: Shopper, tmp_path: Path, state: str
) -> None:
    page = await visitors.page()
    await connected(page, shopper)
    shown = STATES[state]
    if shown.arrange is not None:
        await shown.arrange(shopper)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await page.goto(shopper.origin + shown.path)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await keep_picture(page, tmp_path, f"{state}-{width}-{scheme}")
            await assert_fits(page)
            if (width, scheme) in LOOKED_AT:
                await assert_accessible(page)


async def test_an_order_without_fields_begins_beside_what_the_product_receives(
    visitors: Visitors, shopper: Shopper
) -> None:
    """It began in a second row, below the height of that box."""
    page = await visitors.page()
    await connected(page, shopper)
    await page.goto(f"{shopper.origin}{SHOP}/products/{LEDGER}")
    tops = await page.evaluate(
        "[...document.querySelectorAll('.beside > *')].map(one => one.getBoundingClientRect().top)"
    )
    assert len(tops) == 2
    assert tops[0] == tops[1]


OTHER = "6" * 24
MIRRORED = (
    SHOP,
    f"{SHOP}/products/{NORTHWIND}",
    APP,
    *(f"{SHOP}/installations/{OTHER}{path}" for path in ("", "/settings", "/uninstall", "/people")),
    f"{SHOP}/history",
)
LEFT_BOUND = """[...document.querySelectorAll("body *")]
  .filter(one => one.offsetParent && getComputedStyle(one).textAlign === "left").map(one => one.outerHTML)"""
"""Elements that stay at the left of a page that is mirrored."""


def mirrored(text: str) -> str:
    """Longer than English by half, in a language that is written from right to left."""
    return "\u0645\u0631\u062d\u0628\u0627 " + text + " \u0634\u0634\u0634" * (len(text) // 8)


async def test_c38_right_to_left_does_not_break_a_page(
    visitors: Visitors, shopper: Shopper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arabic = Messages("ar", {key: mirrored(text) for key, text in messages(DEFAULT).texts.items()})
    monkeypatch.setattr(message_catalogue, "languages", lambda: (DEFAULT, "ar"))
    monkeypatch.setattr(message_catalogue, "messages", lambda _: arabic)
    await shopper.installed(Standing.INSTALLING, done=2)
    await shopper.installed(Standing.INSTALLED, LEDGER, id=OTHER, settings=SECTIONS, assigned=(COLLEAGUE,))
    user = {"user": {"email": "anna@example.com"}}
    await shopper.api.emit(type="assign", productId=LEDGER, accountId="acct-x", payload=user)
    page = await visitors.page(locale="ar")
    await connected(page, shopper)
    for number, path in enumerate(MIRRORED):
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            await page.goto(shopper.origin + path)
            assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
            assert await page.evaluate(LEFT_BOUND) == []
            await keep_picture(page, tmp_path, f"{number}-{width}-mirrored")
            await assert_fits(page)
    await assert_accessible(page)

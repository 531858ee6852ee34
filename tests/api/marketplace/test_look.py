"""Every page and state in a real browser: accessible, never wider than the screen, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from dispatcher.marketplace.ports import Opened, Opening
from dispatcher.model.installation import Standing
from dispatcher.model.marketplace import Brand, MarketplaceSession
from tests.api.marketplace.conftest import ACCOUNT, HOME, MEMBER, Shopper, installed
from tests.api.marketplace.stand_in import StandIn
from tests.browser import HEIGHT, SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, screenshot

ONE = f"{HOME}/installations/{'5' * 24}"
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
        {"title": "Access", "fields": [{"name": "pin", "label": "PIN", "type": "password", "value": "******"}]},
    ],
    "unknown": 1,
}


def some_steps(shop: StandIn, done: int, **changes: Any) -> None:
    made = installed(shop, Standing.INSTALLING, **changes)
    steps = tuple(replace(one, completed=at < done) for at, one in enumerate(made.install))
    shop.installed[made.id] = replace(made, install=steps)


def dead(shop: StandIn, outcome: Opening) -> None:
    shop.links["dead"] = Opened(outcome, MarketplaceSession(ACCOUNT, "user-1", 27, 0, host_url="https://shop.example/"))


def many(shop: StandIn) -> None:
    installed(shop, Standing.INSTALLED, product=shop.shown[0])
    made = shop.shown[1]
    shop.shown += [
        replace(made, product_id=f"p{n}", details=replace(made.details, name=f"App number {n}")) for n in range(40)
    ]
    shop.marketplaces[27] = replace(shop.marketplaces[27], brand=Brand(accent="#0a7d4f"))


States = dict[str, tuple[str, Callable[[StandIn], Any]]]
STATES: States = {
    "home-empty": (HOME, lambda shop: shop.shown.clear()),
    "home-none-installed": (HOME, lambda shop: None),
    "home-installed": (HOME, lambda shop: installed(shop, Standing.INSTALLED, product=shop.shown[0])),
    "home-draft": (HOME, lambda shop: some_steps(shop, 2)),
    "home-many": (HOME, many),
    "home-search": (f"{HOME}?q=nothing", many),
    "home-attention": (
        HOME,
        lambda shop: installed(
            shop, Standing.NEEDS_ATTENTION, standing_text="BigCommerce answered 401: token revoked."
        ),
    ),
    "order-plain": (f"{HOME}/products/cloud-ledger", lambda shop: None),
    "order-form": (f"{HOME}/products/northwind-backup", lambda shop: None),
    "order-member": (
        f"{HOME}/products/northwind-backup",
        lambda shop: shop.users.update({"user-1": replace(shop.users["user-1"], role=shop.users[MEMBER].role)}),
    ),
    "wizard-first": (ONE, lambda shop: some_steps(shop, 0)),
    "wizard-third": (ONE, lambda shop: some_steps(shop, 2)),
    "wizard-refused": (ONE, lambda shop: some_steps(shop, 2, standing_text="The bundle 20038 is not there yet.")),
    "wizard-away": (f"{ONE}?step=away", lambda shop: some_steps(shop, 2)),
    "setting-up": (ONE, lambda shop: installed(shop, Standing.SETTING_UP)),
    "refused": (ONE, lambda shop: installed(shop, Standing.REFUSED, standing_text="No seats are left in this plan.")),
    "installed": (
        ONE,
        lambda shop: installed(shop, Standing.INSTALLED, account_identifier="A-206123", readme="Runs every night."),
    ),
    "attention": (ONE, lambda shop: installed(shop, Standing.NEEDS_ATTENTION, standing_text="It answered 401.")),
    "updating": (ONE, lambda shop: installed(shop, Standing.INSTALLED, update_in_progress=True)),
    "uninstalling": (ONE, lambda shop: installed(shop, Standing.UNINSTALLING)),
    "uninstall-refused": (ONE, lambda shop: installed(shop, Standing.UNINSTALLING, standing_text="Orders are open.")),
    "settings-form": (f"{ONE}/settings", lambda shop: installed(shop, Standing.INSTALLED, settings=SECTIONS)),
    "settings-raw": (
        f"{ONE}/settings?said=saved",
        lambda shop: installed(shop, Standing.INSTALLED, settings={"sections": [{"temp": "remove_me"}], "a": [1, 2]}),
    ),
    "settings-none": (f"{ONE}/settings", lambda shop: installed(shop, Standing.INSTALLED)),
    "settings-locked": (
        f"{ONE}/settings",
        lambda shop: installed(shop, Standing.INSTALLED, settings=SECTIONS, update_in_progress=True),
    ),
    "connection": (f"{ONE}/connections/BigCommerce", lambda shop: some_steps(shop, 1)),
    "uninstall": (f"{ONE}/uninstall", lambda shop: installed(shop, Standing.INSTALLED)),
    "people": (f"{ONE}/people", lambda shop: installed(shop, Standing.INSTALLED)),
    "history-empty": (f"{HOME}/history", lambda shop: None),
    "done": (f"{HOME}/done", lambda shop: None),
    "nothing-here": (f"{HOME}/installations/nothing", lambda shop: None),
    "link-expired": ("/account/signinwithtoken?token=dead", lambda shop: dead(shop, Opening.EXPIRED)),
    "link-used": ("/account/signinwithtoken?token=dead", lambda shop: dead(shop, Opening.USED)),
    "link-unknown": ("/account/signinwithtoken?token=dead", lambda shop: None),
    "link-confirm": (
        "/account/signinwithtoken?token=t2",
        lambda shop: (
            shop.links.update(t2=Opened(Opening.OPENED, MarketplaceSession(ACCOUNT, "user-1", 27, 0))),
            shop.marketplaces.update({27: replace(shop.marketplaces[27], confirm=True)}),
        ),
    ),
    "sign-in": ("/account/signin", lambda shop: None),
}


async def connected(page: Page, shopper: Shopper) -> None:
    await page.goto(shopper.origin + shopper.link())
    await page.wait_for_url(f"**{HOME}")


@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_accessible_and_fits(
    visitors: Visitors, shopper: Shopper, tmp_path: Path, state: str
) -> None:
    page = await visitors.page()
    await connected(page, shopper)
    path, arrange = STATES[state]
    arrange(shopper.shop)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.goto(shopper.origin + path)
            await screenshot(page, tmp_path, f"{state}-{width}-{scheme}")
            await assert_accessible(page)
            await assert_fits(page)

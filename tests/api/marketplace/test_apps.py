"""Acts of customers on apps: order, update, stop, uninstall."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.model.account import UserRole
from dispatcher.model.installation import InstallStep, Purchase, Standing, Upgrade
from dispatcher.store.installations.installed.remains import Remains
from dispatcher.store.keys import installations as keys
from tests.api.marketplace.app_parts import APP, FORM, only, shopper
from tests.api.marketplace.conftest import (
    ACCOUNT,
    BIGCOMMERCE,
    LEDGER,
    NORTHWIND,
    SHOP,
    USER,
    Shopper,
)

__all__ = ["shopper"]

ANSWERS = {"plan": "PRO", "quantity": "3", "answer.domain": "shop.example", "answer.keep": "30", "answer.contact": ""}


async def test_c36_an_update_asks_for_what_is_new_and_for_nothing_else(shopper: Shopper) -> None:
    answered = Purchase(configuration={"domain": "shop.example", "contact": "me@shop.example"})
    await shopper.installed(Standing.INSTALLED, NORTHWIND, revision=0, upgrade=Upgrade(1), purchase=answered)
    assert f"{APP}/update" in await shopper.look(APP)
    assert "installed, update ready" in await shopper.look()
    page = await shopper.look(f"{APP}/update")
    assert "answer.keep" in page
    assert not {"answer.domain", "answer.contact"} & set(re.findall(r'name="([^"]+)"', page))
    refused = await shopper.send(f"{APP}/update", {"answer.keep": "many"})
    assert (refused.status, "many" in await refused.text()) == (422, True)
    done = await shopper.send(f"{APP}/update", {"answer.keep": "30", "answer.domain": "evil.example"})
    assert (done.status, done.headers["Location"]) == (303, f"{SHOP}{APP}?said=updated")
    after = await only(shopper)
    assert (after.revision, after.upgrade, after.purchase.edition) == (1, None, None)
    assert after.purchase.configuration == answered.configuration | {"keep": 30}
    assert "The update is in force" in await shopper.look(f"{APP}?said=updated")
    assert (await shopper.get(f"{SHOP}{APP}/update")).status == 303


async def test_c37_uninstalling_keeps_what_is_stored_unless_it_is_to_be_erased(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, LEDGER, settings={"n": 1, "encrypted": {"key": "sealed"}})
    page = await shopper.look(f"{APP}/uninstall")
    assert "Keep connection and settings" in page
    assert 'value="keep" checked' in page
    left = await shopper.send(f"{APP}/uninstall", {"stored": "keep"})
    assert left.headers["Location"] == f"{SHOP}?said=gone"
    remains = Remains(shopper.api.redis)
    assert await remains.settings(ACCOUNT, LEDGER) == {"n": 1, "encrypted": {"key": ""}}
    await shopper.installed(Standing.INSTALLED, LEDGER)
    await shopper.send(f"{APP}/uninstall", {"stored": "erase"})
    assert await remains.settings(ACCOUNT, LEDGER) is None
    assert await shopper.api.redis.zcard(keys.ERASURES) == 1


async def test_c36_back_from_an_update_everything_is_as_it_was(shopper: Shopper) -> None:
    before = (InstallStep("Old", installer_function="old", completed=True),)
    begun = Upgrade(2, begun=True, answers={"region": "eu"}, steps_before=before)
    await shopper.installed(Standing.INSTALLED, BIGCOMMERCE, done=2, upgrade=begun)
    page = await shopper.look(APP)
    assert "Stay with the present version" in page
    assert "verifyIntegratorBundleInstallation" in page
    await shopper.change_user(USER, role=UserRole.MEMBER)
    assert (await shopper.send(f"{APP}/stay", page=APP)).status == 403
    await shopper.change_user(USER, role=UserRole.OWNER)
    back = await shopper.send(f"{APP}/stay", page=APP)
    assert back.headers["Location"] == f"{SHOP}{APP}?said=stayed"
    after = await only(shopper)
    assert (after.install, after.revision, after.upgrade) == (before, 1, Upgrade(2))
    assert "region" not in after.purchase.configuration


async def test_each_app_says_how_far_it_is(shopper: Shopper) -> None:
    page = await shopper.look()
    assert "Nothing is installed yet" in page
    assert page.count(">Install</a>") == 3
    await shopper.installed(Standing.INSTALLING, done=2)
    page = await shopper.look()
    assert "BigCommerce – NetSuite is not finished: 2 of 4 steps are done" in page
    assert "Go on" in page


async def test_the_order_says_what_it_sends_and_to_whom(shopper: Shopper) -> None:
    page = await shopper.look(f"/products/{NORTHWIND}")
    for told in ("hooks.example.com", "Customer X", "user@example.com", "terms of Northwind Backup", "Professional"):
        assert told in page
    assert "4 steps follow" in await shopper.look(f"/products/{BIGCOMMERCE}")


async def test_an_order_becomes_an_installation_with_its_answers(shopper: Shopper) -> None:
    answer = await shopper.send(f"/products/{NORTHWIND}", ANSWERS | {"answer.weekly": "true"})
    made = await only(shopper)
    assert (answer.status, answer.headers["Location"]) == (303, f"{SHOP}/installations/{made.id}")
    assert (made.purchase.edition, made.purchase.quantity) == ("PRO", 3)
    assert made.purchase.configuration == {"domain": "shop.example", "keep": 30, "weekly": True}
    assert (made.creator, made.marketplace_id, made.standing) == ("user@example.com", 27, Standing.SETTING_UP)
    page = await shopper.look(f"/installations/{made.id}")
    assert "Northwind Backup is being set up" in page


WRONG = {
    "answer.domain": ("", "Domain is needed."),
    "answer.contact": ("nobody", "Contact is an e-mail address"),
    "answer.keep": ("long", "Keep for (days) is a number."),
    "plan": ("FREE", "Plan is one of those listed."),
    "quantity": ("0", "Quantity is a whole number from 1 to 100000."),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_ordered(shopper: Shopper, name: str) -> None:
    value, said = WRONG[name]
    answer = await shopper.send(f"/products/{NORTHWIND}", ANSWERS | {name: value})
    page = unescape(await answer.text())
    assert answer.status == 422
    assert re.search(rf'<span class="wrong" id="f-[^"]+-wrong">{re.escape(said)}', page)
    assert 'value="shop.example"' in page or name == "answer.domain"
    assert (await shopper.api.services.customers.list(ACCOUNT))[0] == []


async def test_the_same_order_twice_is_one(shopper: Shopper) -> None:
    form = {"form": await shopper.token(f"/products/{LEDGER}")}
    places = set()
    for _ in range(3):
        answer = await shopper.api.http.post(
            f"{SHOP}/products/{LEDGER}", data=form, headers={"Origin": shopper.origin}, allow_redirects=False
        )
        places.add(answer.headers["Location"])
    assert places == {f"{SHOP}/installations/{(await only(shopper)).id}"}
    led = await shopper.get(f"{SHOP}/products/{LEDGER}")
    assert led.headers["Location"] in places


async def test_what_others_have_does_not_exist(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, account_id="acct-other")
    for path in ("", "/settings", "/uninstall", "/people", "/open"):
        assert "There is nothing here" in await shopper.look(APP + path, 404)
    for path in ("/settings", "/uninstall", "/remove", "/steps", "/again", "/people", "/roles"):
        assert (await shopper.send(APP + path, page="")).status == 404
    for product in ("nothing", "%00", "a/b"):
        await shopper.look(f"/products/{product}", 404)


async def test_what_others_wrote_is_text(shopper: Shopper) -> None:
    nasty = "<script>alert('x')</script>\"'&{{7*7}}"
    await shopper.installed(Standing.REFUSED, standing_text=nasty, readme=nasty, name=nasty, version=nasty)
    await shopper.change_marketplace(name=nasty)
    for path in ("", APP, f"{APP}/settings", f"{APP}/uninstall", f"{APP}/people", "/history", f"{APP}?said={nasty}"):
        page = await shopper.look(path)
        assert "<script>alert" not in page


async def test_uninstalling_says_what_goes_first(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, LEDGER)
    page = unescape(await shopper.look(f"{APP}/uninstall"))
    assert "hooks.example.com is told that Customer X has cancelled" in page
    answer = await shopper.send(f"{APP}/uninstall")
    assert answer.headers["Location"] == f"{SHOP}?said=gone"
    assert "The app is uninstalled" in await shopper.look("?said=gone")
    assert (await shopper.api.services.customers.list(ACCOUNT))[0] == []


async def test_a_draft_can_be_stopped_and_orders_nothing(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLING, done=2)
    assert (await shopper.send(f"{APP}/remove", page=APP)).status == 303
    assert (await shopper.api.json("GET", f"/v1/events?accountId={ACCOUNT}", 200))["data"] == []


async def test_pages_are_small_and_load_nothing_else(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, settings=FORM)
    for path in ("", APP, f"{APP}/settings", f"/products/{NORTHWIND}"):
        page = await shopper.look(path)
        parts = [page]
        assets = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
        parts += [await (await shopper.get(asset)).text() for asset in assets]
        assert sum(len(part.encode()) for part in parts) < 100_000
        assert not re.search(r'(?:src|action)="(?:https?:)?//', page)

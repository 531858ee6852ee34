"""Settings and people of an app that is installed: kept, locked, never shown to others."""

from __future__ import annotations

from html import unescape
from typing import Any

import orjson

from dispatcher.model.installation import Standing
from tests.api.marketplace.app_parts import APP, FORM, only, shopper
from tests.api.marketplace.conftest import (
    ACCOUNT,
    COLLEAGUE,
    LEDGER,
    SHOP,
    USER,
    Shopper,
)

__all__ = ["shopper"]


async def test_settings_are_a_form_and_what_it_does_not_show_survives(shopper: Shopper) -> None:
    made = await shopper.installed(Standing.INSTALLED)
    saved = await shopper.api.services.customers.save_settings(made, FORM, await _customer(shopper))
    page = await shopper.look(f"{APP}/settings")
    assert "s3cret-pin" not in page
    assert "******" not in page
    sent = {"s0.0": "NEW-", "s0.1": "5", "s0.2": "paid", "s0.4": ""}
    answer = await shopper.send(f"{APP}/settings", sent)
    assert answer.headers["Location"] == f"{SHOP}{APP}/settings?said=told"
    after = await only(shopper)
    fields = after.settings["sections"][0]["fields"]
    assert [one["value"] for one in fields[:4]] == ["NEW-", 5, "paid", False]
    assert fields[4]["value"] == saved.settings["sections"][0]["fields"][4]["value"]
    assert (fields[0]["kept"], after.settings["unknown"]) == ([1], FORM["unknown"])
    again = await shopper.send(f"{APP}/settings", sent)
    assert again.headers["Location"].endswith("said=same")


async def test_settings_that_are_no_form_are_json(shopper: Shopper) -> None:
    settings: dict[str, Any] = {"sections": [{"temp": "remove_me"}], "encrypted": {"key": "s3cret-key"}, "n": 1}
    made = await shopper.installed(Standing.INSTALLED)
    saved = await shopper.api.services.customers.save_settings(made, settings, await _customer(shopper))
    page = unescape(await shopper.look(f"{APP}/settings"))
    assert "remove_me" in page
    assert "s3cret-key" not in page
    assert "******" not in page
    shown = orjson.loads(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    assert shown == settings | {"encrypted": {"key": ""}}
    wrong = await shopper.send(f"{APP}/settings", {"settings": "{"})
    assert wrong.status == 422
    answer = await shopper.send(f"{APP}/settings", {"settings": orjson.dumps(shown | {"n": 2}).decode()})
    assert answer.status == 303
    after = await only(shopper)
    assert after.settings == saved.settings | {"n": 2}


async def test_what_is_being_updated_is_locked(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, settings=FORM, update_in_progress=True, locked_ms=1)
    page = await shopper.look(f"{APP}/settings")
    assert "cannot be changed" in unescape(page) or "not changed" in unescape(page)
    assert '<button class="primary">Save' not in page
    assert (await shopper.send(f"{APP}/settings", {"s0.0": "x"})).status == 409


async def test_open_leads_where_the_installed_revision_says(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED, LEDGER)
    answer = await shopper.get(f"{SHOP}{APP}/open")
    assert (answer.status, answer.headers["Location"]) == (302, "https://app.example.com/start")
    shopper.api.http.session.cookie_jar.clear()
    assert (await shopper.get(f"{SHOP}{APP}/open")).status == 401


async def test_people_are_assigned_once_and_the_app_is_told(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED)
    for do in ("assign", "assign", "unassign", "assign"):
        answer = await shopper.send(f"{APP}/people", {"user": COLLEAGUE, "do": do})
        assert answer.status == 303
    assert (await only(shopper)).assigned == (COLLEAGUE,)
    events = (await shopper.api.json("GET", f"/v1/events?accountId={ACCOUNT}", 200))["data"]
    kinds = ["USER_ASSIGNMENT", "USER_UNASSIGNMENT", "USER_ASSIGNMENT"]
    assert [event["type"] for event in events] == kinds
    page = await shopper.look("/history")
    assert page.count("colleague@example.com") == 3
    assert (await shopper.send(f"{APP}/people", {"user": "nobody"})).status == 404


async def test_the_last_owner_stays_one(shopper: Shopper) -> None:
    await shopper.installed(Standing.INSTALLED)
    refused = await shopper.send(f"{APP}/roles", {"user": USER, "do": "member"}, page="")
    assert refused.status == 409
    assert (await shopper.send(f"{APP}/roles", {"user": COLLEAGUE, "do": "owner"}, page="")).status == 303
    assert (await shopper.send(f"{APP}/roles", {"user": USER, "do": "member"}, page="")).status == 303
    assert (await shopper.send(f"{APP}/roles", {"user": COLLEAGUE, "do": "member"}, page="")).status == 403


async def _customer(shopper: Shopper) -> Any:
    from dispatcher.flow.installations.customers import Customer

    accounts = shopper.installing.accounts
    account, user = await accounts.get(ACCOUNT), await accounts.user(USER)
    assert user
    return Customer(account, user, await shopper.api.services.marketplaces.get(27))

"""Installations, marketplaces, templates and accounts in the console: within reach, and changed under rights."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.audit_entries import entries
from tests.api.conftest import PRODUCT
from tests.api.console.conftest import Visitor

SHOP = {"id": 27, "name": "Acme", "productIds": [PRODUCT], "allowedOrigins": ["https://shop.example"]}
LINK = {"MarketplaceId": 27, "Username": "ann@example.com", "Password": "password", "AccountName": "Customer X"}


async def furnish(visitor: Visitor) -> tuple[str, str, int]:
    """A marketplace, an account, an installation and a template. Their ids, but the first."""
    api = visitor.api
    await api.json("POST", "/v1/marketplaces", 201, json=SHOP)
    made: Any = await api.json("POST", "/v1.0/users/marketplace", 200, json=LINK)
    account_id = str(made["AccountId"])
    asked = {"_connectorId": visitor.integration.connector_id, "name": "Books", "_accountId": account_id}
    installed: Any = await api.json("POST", "/v1/integrations", 201, json=asked)
    kind = {"name": "BigCommerce", "version": "1.0", "authType": "Basic", "native": False}
    template: Any = await api.json("POST", "/v1/connector-templates", 201, json=kind)
    return account_id, installed["_id"], template["id"]


async def act(visitor: Visitor, seen: str, path: str, fields: dict[str, str], status: int = 303) -> str:
    """Send a form as the page has it."""
    page = await visitor.look(seen)
    hidden = dict(re.findall(r'<input type="hidden" name="(form|modified)" value="([^"]*)"', page))
    answer = await visitor.send(path, hidden | fields)
    text = await answer.text()
    assert answer.status == status, text
    return text


async def names_of_actions(visitor: Visitor) -> list[str]:
    return [entry["action"] for entry in await entries(visitor.api)]


async def test_installations_are_found_by_account_integration_and_standing(operator: Visitor) -> None:
    account_id, installation_id, _ = await furnish(operator)
    for query in ("", f"?account={account_id}", f"?integration={operator.integration.id}", "?standing=SETTING_UP"):
        assert installation_id in await operator.look(f"/console/installations{query}")
    assert installation_id not in await operator.look("/console/installations?standing=REFUSED")
    assert installation_id not in await operator.look("/console/installations?account=nobody")
    await operator.look("/console/installations?standing=HAPPY", 400)
    page = await operator.look(f"/console/installations/{installation_id}")
    assert "Ordered, no answer yet" in page
    assert "createIntegration" in page
    await operator.look("/console/installations/nothing", 404)


async def test_d8_a_template_is_made_native_and_standard_again(operator: Visitor) -> None:
    *_, template_id = await furnish(operator)
    seen, path = "/console/connector-templates", f"/console/connector-templates/{template_id}/native"
    for wanted, told in (("true", "Make Standard"), ("false", "Make Native")):
        await act(operator, seen, path, {"native": wanted})
        assert f"{told}: BigCommerce 1.0" in await operator.look(seen)
        shown = await operator.api.json("GET", f"/v1/connector-templates/{template_id}", 200)
        assert shown["native"] is (wanted == "true")
    assert (await names_of_actions(operator))[:2] == ["changeConnectorTemplate", "changeConnectorTemplate"]


async def test_d9_an_operator_adds_a_template(operator: Visitor) -> None:
    seen = "/console/connector-templates"
    page = await act(operator, seen, seen, {"name": "Shop", "integrationId": "nothing"}, 422)
    assert "There is no such integration" in page
    assert 'value="Shop"' in page
    await act(operator, seen, seen, {"name": "Shop", "integrationId": operator.integration.id, "native": "true"})
    (made,) = (await operator.api.json("GET", "/v1/connector-templates", 200))["data"]
    assert (made["name"], made["native"], made["integrationId"]) == ("Shop", True, operator.integration.id)


async def test_a_marketplace_is_made_and_changed(operator: Visitor) -> None:
    made = await act(operator, "/console/marketplaces/new", "/console/marketplaces", {"id": "27", "name": "Acme"}, 200)
    assert "whsec_" in made
    seen = "/console/marketplaces/27"
    wrong = {"name": "Acme", "productIds": f"{PRODUCT}\nnobody", "brand.accent": "red"}
    page = await act(operator, seen, seen, wrong, 422)
    assert page.count('aria-invalid="true"') == 2
    given = {"name": "Acme 2", "productIds": PRODUCT, "allowedOrigins": "https://a.example\nhttps://b.example"}
    await act(operator, seen, seen, given | {"brand.accent": "#0f6a5f", "confirm": "true"})
    shown = await operator.api.json("GET", "/v1/marketplaces/27", 200)
    assert (shown["name"], shown["allowedOrigins"]) == ("Acme 2", ["https://a.example", "https://b.example"])
    assert (shown["brand"]["accent"], shown["confirm"]) == ("#0f6a5f", True)
    assert "whsec_" not in await operator.look(seen)
    assert "whsec_" in await act(operator, seen, f"{seen}/rotate", {}, 200)


async def test_an_accounts_sessions_are_ended(operator: Visitor) -> None:
    account_id, *_ = await furnish(operator)
    assert account_id in await operator.look("/console/accounts")
    assert account_id in await operator.look(f"/console/accounts?q={account_id}")
    seen = f"/console/accounts/{account_id}"
    page = await operator.look(seen)
    assert "ann@example.com" in page
    assert "Books" in page
    await act(operator, seen, f"{seen}/sessions/end", {})
    assert (await names_of_actions(operator))[0] == "endSessions"


async def test_j5_a_viewer_changes_nothing_and_sees_no_accounts(visitor: Visitor) -> None:
    account_id, _, template_id = await furnish(visitor)
    await visitor.sign_in_as_new("integrations:read", "events:read", "ops:read")
    for place in ("installations", "marketplaces", "connector-templates", "marketplaces/27"):
        page = await visitor.look(f"/console/{place}")
        assert re.findall(r'<form method="post" action="([^"]*)"', page) == ["/console/sign-out"]
    await visitor.look("/console/accounts", 403)
    posts = ("marketplaces", "marketplaces/27", "marketplaces/27/rotate", "connector-templates")
    for path in (*posts, f"connector-templates/{template_id}/native", f"accounts/{account_id}/sessions/end"):
        assert (await visitor.send(f"/console/{path}", {})).status == 403


@pytest.mark.parametrize("place", ["installations", "marketplaces", "connector-templates", "accounts"])
async def test_a_vendor_sees_only_what_is_its_own(visitor: Visitor, place: str) -> None:
    found = await furnish(visitor)
    scopes = ("integrations:read", "installations:read", "events:read")
    await visitor.sign_in_as_new(*scopes, vendor_id="V-1")
    page = await visitor.look(f"/console/{place}")
    assert "None yet" in page
    assert not [one for one in (*found[:2], "Acme", "BigCommerce", "Books") if str(one) in page.partition("<main")[2]]

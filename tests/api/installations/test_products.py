"""Looks of products: said by publishers, over REST and GraphQL alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.flow.installations.making.shown_products import shown_products
from tests.api.conftest import PRODUCT, Api
from tests.api.installations.embedding import open_shop
from tests.api.tenants import bearer

PATH = f"/v1/products/{PRODUCT}"
DETAILS: dict[str, Any] = {
    "name": "Cloud Ledger",
    "description": "Bookkeeping that follows every order.\nIn two lines.",
    "logo": "/images/ledger.png",
    "supportUrl": "https://ledger.example.com/help",
    "termsUrl": "https://ledger.example.com/terms",
    "editions": [
        {"code": "basic", "name": "Basic", "description": None},
        {"code": "pro", "name": "Pro", "description": "All"},
    ],
}


async def test_a_product_is_shown_as_it_was_described(api: Api) -> None:
    described = await api.json("PUT", PATH, 200, json=DETAILS)
    assert {name: described[name] for name in DETAILS} == DETAILS
    assert await api.json("GET", PATH, 200) == described
    assert described["integrationId"]
    emptied = await api.json("PUT", PATH, 200, json={})
    assert (emptied["name"], emptied["editions"], emptied["integrationId"]) == (None, [], described["integrationId"])


async def test_graphql_says_and_shows_the_same(api: Api) -> None:
    query = """mutation { updateProduct(input: {id: "P-1", name: "Ledger", editions: [{code: "b", name: "Basic"}]})
      { product { name integrationId editions { code name description } } userErrors { code path } } }"""
    done = (await api.json("POST", "/graphql", 200, json={"query": query}))["data"]["updateProduct"]
    assert done["userErrors"] == []
    assert done["product"]["name"] == "Ledger"
    assert done["product"]["editions"] == [{"code": "b", "name": "Basic", "description": None}]
    assert (await api.json("GET", PATH, 200))["name"] == "Ledger"
    asked = {"query": '{ product(id: "P-1") { name termsUrl } }'}
    assert (await api.json("POST", "/graphql", 200, json=asked))["data"]["product"]["name"] == "Ledger"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"logo": "javascript:alert(1)"}, "logo"),
        ({"supportUrl": "javascript:alert(1)"}, "supportUrl"),
        ({"termsUrl": "/local"}, "termsUrl"),
        ({"description": "x" * 4001}, "description"),
        ({"editions": [{"code": "a", "name": "A"}, {"code": "a", "name": "B"}]}, "editions.1.code"),
        ({"editions": [{"code": "", "name": "A"}]}, "editions.0.code"),
        ({"price": 1}, "price"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(api: Api, wrong: dict[str, Any], field: str) -> None:
    await api.json("PUT", PATH, 200, json=DETAILS)
    refused = await api.json("PUT", PATH, 422, json=wrong)
    assert field in [one["field"] for one in refused["errors"]]
    assert (await api.json("GET", PATH, 200))["name"] == "Cloud Ledger"


async def test_a_remote_logo_is_taken_for_a_letter_to_be_shown(api: Api) -> None:
    await api.json("PUT", PATH, 200, json={"logo": "https://cdn.example.com/a.png"})


async def test_vendors_describe_their_own_products(api: Api) -> None:
    ours = await bearer(api, "integrations:write", vendor_id="ours")
    theirs = await bearer(api, "integrations:write", vendor_id="theirs")
    await api.json("GET", "/v1/products/new", 404, headers=ours)
    made = await api.json("PUT", "/v1/products/new", 200, json={"name": "Ours"}, headers=ours)
    assert made["vendorId"] == "ours"
    await api.json("GET", "/v1/products/new", 404, headers=theirs)
    refused = await api.json("PUT", "/v1/products/new", 403, json={"name": "Mine"}, headers=theirs)
    assert refused["errors"][0]["code"] == "product_not_yours"
    await api.json("PUT", PATH, 403, json={"name": "Mine"}, headers=ours)


async def test_a_marketplace_shows_its_products_in_its_order(api: Api) -> None:
    await api.json("PUT", PATH, 200, json=DETAILS)
    await open_shop(api)
    shown = ("unknown", PRODUCT)
    marketplace = await api.services.marketplaces.edit(27, lambda one: replace(one, product_ids=shown))
    first, second = await shown_products(api.services.cache, marketplace)
    assert (first.product.id, first.integration) == ("unknown", None)
    assert (second.product.details.name, second.revision is not None) == ("Cloud Ledger", True)

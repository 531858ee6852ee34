"""Opening a product, as the tile in a marketplace does: from the mutations of a publisher to the browser's redirect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse
from yarl import URL

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.integration import Bookmark
from tests.api.graphql.conftest import Graph

ADD_OIDC = "addProductIntegrationOpenIdConnectConfiguration"
ADD_BOOKMARK = "addProductIntegrationBookmarkConfiguration"
METHOD = 'clientCreationMethod: "PER_SUBSCRIPTION", grantTypes: ["AUTHORIZATION_CODE"], redirectUrls: []'
PRODUCT = "shop/1"


async def opened(graph: Graph, product: str = "shop%2F1", query: str = "") -> ClientResponse:
    url = graph.api.http.make_url("/").join(URL(f"/launch/products/{product}{query}", encoded=True))
    return await graph.api.http.session.get(url, allow_redirects=False)


async def linked(graph: Graph, mutation: str = "", fields: str = "") -> str:
    own_id: str = (await graph.created())["id"]
    if mutation:
        done = await graph.change(mutation, f'integrationConfigurationId: "{own_id}", {fields}')
        assert done["userErrors"] == []
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    await graph.change("linkProductIntegration", f'productId: "{PRODUCT}", integrationId: "{own_id}"')
    return own_id


async def refused(answer: ClientResponse, status: int) -> Any:
    body = await answer.json()
    assert answer.status == status, body
    assert "Location" not in answer.headers
    return body


async def test_a_product_with_open_id_connect_opens_where_sign_in_begins(graph: Graph) -> None:
    login = "https://login.example.com/start?tenant=1"
    await linked(graph, ADD_OIDC, f'{METHOD}, initiateLoginUrl: "{login}"')
    answer = await opened(graph)
    assert (answer.status, answer.headers["Location"]) == (302, login)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


async def test_a_bookmarked_product_opens_its_landing_page(graph: Graph) -> None:
    await linked(graph, ADD_BOOKMARK, 'landingUrl: "https://www.example.com/welcome"')
    answer = await opened(graph)
    assert (answer.status, answer.headers["Location"]) == (302, "https://www.example.com/welcome")


@pytest.mark.parametrize("query", ["?returnUrl=https://evil.example", "?url=//evil.example&next=/x", "?%0d%0aX:%20y"])
async def test_nothing_of_the_request_decides_where_it_leads(graph: Graph, query: str) -> None:
    await linked(graph, ADD_BOOKMARK, 'landingUrl: "https://www.example.com/welcome"')
    assert (await opened(graph, query=query)).headers["Location"] == "https://www.example.com/welcome"


async def test_a_placeholder_is_told_of_and_not_opened(graph: Graph) -> None:
    await linked(graph, ADD_OIDC, f'{METHOD}, initiateLoginUrl: "YOUR_INITIATE_LOGIN_URL"')
    body = await refused(await opened(graph), 409)
    assert (body["Errors"][0]["Code"], body["Errors"][0]["Field"]) == ("invalid_url", "initiateLoginUrl")
    assert "absolute http or https URL" in body["Message"]


@pytest.mark.parametrize("url", ["//evil.example", "https://good.example@evil.example", "/relative"])
async def test_what_is_no_absolute_url_is_not_saved(graph: Graph, url: str) -> None:
    own_id = await linked(graph)
    done = await graph.change(ADD_BOOKMARK, f'integrationConfigurationId: "{own_id}", landingUrl: "{url}"')
    assert [(one["code"], one["path"][-1]) for one in done["userErrors"]] == [("invalid_url", "landingUrl")]


@pytest.mark.parametrize("url", ["//evil.example", "https://good.example@evil.example", "/relative"])
async def test_what_is_no_absolute_url_is_not_opened_even_if_it_was_saved_once(graph: Graph, url: str) -> None:
    own_id = await linked(graph, ADD_BOOKMARK, 'landingUrl: "https://www.example.com/welcome"')
    definitions = graph.api.services.definitions
    await definitions.edit(
        own_id, lambda one: replace(one, working=replace(one.working, bookmark=Bookmark(url)), modified_ms=1)
    )
    await publish(definitions, own_id, "test", 2)
    await refused(await opened(graph), 409)


async def test_a_product_without_sign_on_is_not_found(graph: Graph) -> None:
    await linked(graph)
    body = await refused(await opened(graph), 404)
    assert body["Errors"][0]["Code"] == "not_configured"


async def test_an_unknown_product_is_not_found(graph: Graph) -> None:
    for product in ("other", "%2F%2Fevil.example", "x" * 2000):
        body = await refused(await opened(graph, product), 404)
        assert body["Errors"][0]["Code"] == "not_found"


async def test_what_is_published_decides_and_unlinking_ends_it(graph: Graph) -> None:
    own_id = await linked(graph, ADD_BOOKMARK, 'landingUrl: "https://www.example.com/1"')
    await graph.change(ADD_BOOKMARK, f'integrationConfigurationId: "{own_id}", landingUrl: "https://www.example.com/2"')
    assert (await opened(graph)).headers["Location"] == "https://www.example.com/1"
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    assert (await opened(graph)).headers["Location"] == "https://www.example.com/2"
    await graph.change("unlinkProductIntegration", f'productId: "{PRODUCT}", integrationId: "{own_id}"')
    await refused(await opened(graph), 404)

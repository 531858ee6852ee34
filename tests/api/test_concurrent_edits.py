"""Edits of one record at the same time: each has its way, or is told that another was faster. None is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.api.conftest import PRODUCT, Api
from tests.api.installations.embedding import Partner, open_shop, partner_of
from tests.api.installations.samples import installable

MANY = 50
"""More than the turns that a client has, and than the times that a change is begun again."""

Found = tuple[str, dict[str, Any]]
"""An address, and the least that a PUT there takes."""


async def statuses_of(asked: Sequence[Awaitable[ClientResponse]]) -> list[int]:
    return [answer.status for answer in await asyncio.gather(*asked)]


async def test_products_that_are_linked_at_once_are_all_linked(api: Api) -> None:
    path = f"/v1/definitions/{(await installable(api)).id}"
    names = [f"X-{n}" for n in range(MANY)]
    assert (
        await statuses_of([api.ask("POST", f"{path}/link", json={"productId": one}) for one in names]) == [200] * MANY
    )
    assert set((await api.json("GET", path, 200))["linkedProducts"]) == set(names)


async def test_revisions_that_are_published_at_once_have_a_number_each(api: Api) -> None:
    path = f"/v1/definitions/{(await installable(api)).id}"
    assert await statuses_of([api.ask("POST", f"{path}/publish") for _ in range(MANY)]) == [200] * MANY
    assert (await api.json("GET", path, 200))["publishedRevision"] == MANY + 1


async def test_parts_of_a_connector_that_are_changed_at_once_all_hold(api: Api) -> None:
    await open_shop(api)
    partner: Partner = await partner_of(api, 27)
    account = {"X-Cyclr-Account": (await partner.session())["AccountId"]}
    (one,) = await partner.connectors(account["X-Cyclr-Account"])
    path = f"/v1.0/account/connectors/{one['Id']}"
    parts = [{"Description": "new"}, {"AuthValue": "YTpi"}, {"Version": "2"}, *({"Name": f"N{n}"} for n in range(20))]
    assert set(await statuses_of([partner.ask("PUT", path, json=part, headers=account) for part in parts])) == {200}
    (now,) = await partner.connectors(account["X-Cyclr-Account"])
    assert (now["Description"], now["AuthValue"], now["Version"], now["Name"][0]) == ("new", "YTpi", "2", "N")


async def a_marketplace(api: Api) -> Found:
    made = await api.json("POST", "/v1/marketplaces", 201, json={"name": "M"})
    return f"/v1/marketplaces/{made['id']}", {}


async def a_template(api: Api) -> Found:
    made = await api.json("POST", "/v1/connector-templates", 201, json={"name": "T", "version": "1"})
    return f"/v1/connector-templates/{made['id']}", {"version": "1"}


async def a_product(api: Api) -> Found:
    return f"/v1/products/{PRODUCT}", {}


async def an_installation(api: Api) -> Found:
    await installable(api, "Q")
    asked = {"name": "Installed", "productId": "Q", "_accountId": "A-9"}
    made = await api.json("POST", "/v1/integrations", 201, json=asked)
    return f"/v1/integrations/{made['_id']}", {}


RECORDS: tuple[Callable[[Api], Awaitable[Found]], ...] = (a_marketplace, a_template, a_product, an_installation)


@pytest.mark.parametrize("made", RECORDS)
async def test_bi48_of_edits_of_one_state_one_is_made(api: Api, made: Callable[[Api], Awaitable[Found]]) -> None:
    path, body = await made(api)
    tag = {"If-Match": (await api.ask("GET", path)).headers["ETag"]}
    names = [f"n-{n}" for n in range(MANY)]
    asked = [api.ask("PUT", path, json=body | {"name": name}, headers=tag) for name in names]
    statuses = await statuses_of(asked)
    assert sorted(statuses) == [200] + [412] * (MANY - 1)
    assert (await api.json("GET", path, 200))["name"] == names[statuses.index(200)]


@pytest.mark.parametrize("made", [a_marketplace, a_template])
async def test_bi48_what_somebody_changed_is_not_deleted(api: Api, made: Callable[[Api], Awaitable[Found]]) -> None:
    path, body = await made(api)
    tag = {"If-Match": (await api.ask("GET", path)).headers["ETag"]}
    await api.json("PUT", path, 200, json=body | {"name": "new"})
    await api.refused("DELETE", path, 412, "precondition_failed", headers=tag)
    if "marketplaces" in path:
        await api.refused("POST", f"{path}/rotate", 412, "precondition_failed", headers=tag)
    assert (await api.json("GET", path, 200))["name"] == "new"


async def test_bi48_a_product_that_nobody_knows_matches_nothing(api: Api) -> None:
    await api.refused("PUT", "/v1/products/new", 412, "precondition_failed", headers={"If-Match": "*"}, json={})
    fresh = {"If-None-Match": "*"}
    await api.json("PUT", "/v1/products/new", 200, headers=fresh, json={"name": "N"})
    await api.refused("PUT", "/v1/products/new", 412, "precondition_failed", headers=fresh, json={})

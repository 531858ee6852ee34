"""Linking products to integrations."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.errors import Conflict, NotFound, Unprocessable
from dispatcher.flow.integrations.products.link import link, unlink
from dispatcher.model.integration import Product
from tests.flow.definition_desk import NOW_MS, Desk, desk_on, told

PRODUCT = "06ea7f9d-4a1b-4a00-810f-089ac43972e2"


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def test_link_waits_for_the_first_publish(desk: Desk) -> None:
    created = (await desk.create()).integration
    with pytest.raises(Conflict) as refused:
        await link(desk.definitions, PRODUCT, created.id, NOW_MS)
    assert told(refused.value) == [("not_published", "integrationId")]
    assert await desk.definitions.product(PRODUCT) is None


async def test_unknown_product_is_registered_by_its_link(desk: Desk) -> None:
    published = await desk.published()
    assert await link(desk.definitions, PRODUCT, published.connector_id, NOW_MS) == Product(PRODUCT, published.id)
    assert await desk.definitions.product(PRODUCT) == Product(PRODUCT, published.id, "WORKING")


async def test_second_link_makes_the_integration_read_only_in_the_console(desk: Desk) -> None:
    published = await desk.published()
    read_only = []
    for product in ("P1", "P2"):
        await link(desk.definitions, product, published.id, NOW_MS)
        read_only.append((await desk.definitions.needed(published.id)).ui_read_only)
    await unlink(desk.definitions, "P1", published.id, NOW_MS)
    read_only.append((await desk.definitions.needed(published.id)).ui_read_only)
    assert read_only == [False, True, False]


async def test_product_moves_to_the_integration_that_it_is_linked_to_last(desk: Desk) -> None:
    first, second = await desk.published(), await desk.published()
    await link(desk.definitions, "P", first.id, NOW_MS)
    await link(desk.definitions, "P", second.id, NOW_MS)
    assert (await desk.definitions.needed(first.id)).linked_products == ()
    with pytest.raises(Conflict) as refused:
        await unlink(desk.definitions, "P", first.id, NOW_MS)
    assert told(refused.value) == [("not_linked", "productId")]


@pytest.mark.parametrize("product", ["", "x" * 256, "a\x00b", "a\nb"])
async def test_odd_product_ids_are_refused(desk: Desk, product: str) -> None:
    published = await desk.published()
    with pytest.raises(Unprocessable) as refused:
        await link(desk.definitions, product, published.id, NOW_MS)
    assert told(refused.value) == [("invalid_text", "productId")]


async def test_unknown_integration_cannot_be_linked(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await link(desk.definitions, "P", "34827", NOW_MS)
    with pytest.raises(NotFound):
        await unlink(desk.definitions, "P", "34827", NOW_MS)

"""Definitions on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import cast

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.errors import Conflict, InvalidRequest, NotFound
from dispatcher.ids import new_uuid
from dispatcher.model.integration import InboundClient, Product
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.records import BrokenDefinition
from dispatcher.store.keys import definitions as keys
from tests.store.definition_samples import NOW_MS, fresh, publish, renamed


@pytest.fixture
def definitions(redis: Redis) -> Definitions:
    return Definitions(redis)


async def test_first_app_market_id_of_a_fresh_store_is_34827(definitions: Definitions) -> None:
    created = [await definitions.create(fresh()) for _ in range(3)]
    assert [one.app_market_id for one in created] == [34827, 34828, 34829]


async def test_every_id_form_finds_the_same_integration(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    forms = [created.id, created.id.upper(), str(created.app_market_id), created.connector_id]
    assert [await definitions.integration(form) for form in forms] == [created] * 4
    assert await definitions.integration("34828") is None
    assert await definitions.integration(new_uuid()) is None


async def test_same_id_cannot_be_created_twice(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    with pytest.raises(Conflict):
        await definitions.create(replace(created, name="two"))
    assert await definitions.integration(created.id) == created


async def test_save_of_a_stale_copy_is_a_conflict(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    saved = await definitions.save(renamed(created, "first"), created.modified_ms)
    assert saved.modified_ms > created.modified_ms
    with pytest.raises(Conflict):
        await definitions.save(renamed(created, "second"), created.modified_ms)
    assert await definitions.integration(created.id) == saved


async def test_edits_at_once_lose_none(definitions: Definitions) -> None:
    created = await definitions.create(fresh(""))
    edits = (definitions.edit(created.id, lambda one: renamed(one, one.name + "x")) for _ in range(8))
    await asyncio.gather(*edits)
    final = await definitions.integration(created.id)
    assert final is not None
    assert final.name == "x" * 8


async def test_edit_never_resurrects_what_was_deleted(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    await definitions.delete(created.id)
    with pytest.raises(NotFound):
        await definitions.save(created, created.modified_ms)
    for form in (created.id, str(created.app_market_id), created.connector_id):
        assert await definitions.integration(form) is None
    assert (await definitions.integrations()).items == []


async def test_publish_writes_revision_and_pointer(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    first = await publish(definitions, created)
    second = await publish(definitions, first)
    assert second.published_revision == 2
    assert [one.number for one in await definitions.revisions(str(created.app_market_id))] == [1, 2]
    assert await definitions.revision(created.id, 0) == created.working
    assert await definitions.revision(created.id, 3) is None


async def test_two_publishers_at_once_make_one_revision_of_each_number(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    results = await asyncio.gather(
        *(publish(definitions, renamed(created, str(n))) for n in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in results) == 3
    assert [one.number for one in await definitions.revisions(created.id)] == [1]


async def test_link_agrees_on_both_sides_and_moves(definitions: Definitions) -> None:
    first, second = [await definitions.create(fresh()) for _ in range(2)]
    assert await definitions.link("p1", first.id, NOW_MS) == Product("p1", first.id)
    await definitions.link("p2", first.id, NOW_MS)
    await definitions.link("p1", second.connector_id, NOW_MS)
    assert (await definitions.needed(first.id)).linked_products == ("p2",)
    assert (await definitions.needed(second.id)).linked_products == ("p1",)
    assert await definitions.product("p1") == Product("p1", second.id)


async def test_link_again_changes_nothing(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    await definitions.link("p1", created.id, NOW_MS)
    linked = await definitions.needed(created.id)
    await definitions.link("p1", created.id, NOW_MS)
    assert await definitions.needed(created.id) == linked


async def test_links_at_once_leave_each_product_in_exactly_one_list(definitions: Definitions) -> None:
    owners = [await definitions.create(fresh()) for _ in range(3)]
    await asyncio.gather(*(definitions.link("p", owner.id, NOW_MS) for owner in owners))
    product = await definitions.product("p")
    holders = [one.id for one in (await definitions.integrations()).items if "p" in one.linked_products]
    assert product is not None
    assert holders == [product.integration_id]


async def test_unlink_only_from_its_own_integration(definitions: Definitions) -> None:
    first, second = [await definitions.create(fresh()) for _ in range(2)]
    await definitions.link("p1", first.id, NOW_MS)
    assert await definitions.unlink("p1", second.id, NOW_MS) is None
    assert await definitions.unlink("p1", first.id, NOW_MS) == Product("p1")
    assert (await definitions.needed(first.id)).linked_products == ()


async def test_delete_is_refused_while_linked(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    await definitions.link("p1", created.id, NOW_MS)
    with pytest.raises(Conflict):
        await definitions.delete(created.id)


async def test_inbound_client_is_found_until_replaced(definitions: Definitions) -> None:
    created = await definitions.create(fresh())
    await definitions.edit(created.id, lambda one: replace(one, inbound_client=InboundClient("a", "h", NOW_MS)))
    found = await definitions.integration_of_inbound("a")
    assert found is not None
    assert found.id == created.id
    await definitions.edit(created.id, lambda one: replace(one, inbound_client=InboundClient("b", "h", NOW_MS)))
    assert await definitions.integration_of_inbound("a") is None
    assert await definitions.integration_of_inbound("b") is not None
    await definitions.delete(created.id)
    assert await definitions.integration_of_inbound("b") is None


async def test_pages_cover_every_integration_even_when_the_cursor_was_deleted(definitions: Definitions) -> None:
    created = [await definitions.create(fresh(created_ms=NOW_MS + n)) for n in range(5)]
    page = await definitions.integrations(limit=2)
    assert [one.id for one in page.items] == [one.id for one in created[:2]]
    await definitions.delete(created[1].id)
    rest = await definitions.integrations(page.next_cursor, limit=10)
    assert [one.id for one in rest.items] == [one.id for one in created[2:]]
    assert rest.next_cursor is None
    with pytest.raises(InvalidRequest):
        await definitions.integrations("nonsense")


async def test_fields_of_a_newer_version_are_ignored_and_kept(definitions: Definitions, redis: Redis) -> None:
    created = await definitions.create(fresh())
    record = orjson.loads(await redis.get(keys.definition(created.id)) or b"")
    record["future"] = [1]
    record["working"]["future"] = 2
    await redis.set(keys.definition(created.id), orjson.dumps(record))
    await definitions.edit(created.id, lambda one: renamed(one, "new"))
    after = orjson.loads(await redis.get(keys.definition(created.id)) or b"")
    assert after["name"] == "new"
    assert (after["future"], after["working"]["future"]) == ([1], 2)


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"id": 1}', b"\xff"])
async def test_damaged_record_spoils_no_other(definitions: Definitions, redis: Redis, damage: bytes) -> None:
    bad, good = [await definitions.create(fresh()) for _ in range(2)]
    await redis.set(keys.definition(bad.id), damage)
    assert (await definitions.fetch([bad.id, good.id])).integrations == {good.id: good}
    assert (await definitions.integrations()).items == [good]
    with pytest.raises(BrokenDefinition):
        await definitions.integration(bad.id)


async def test_key_of_a_wrong_type_spoils_no_other(definitions: Definitions, redis: Redis) -> None:
    good = await definitions.create(fresh())
    await redis.delete(keys.product("p1"))
    await cast("Awaitable[int]", redis.hset(keys.product("p1"), "a", "b"))
    loaded = await definitions.fetch([good.id], products=["p1"])
    assert (loaded.integrations, loaded.products) == ({good.id: good}, {})

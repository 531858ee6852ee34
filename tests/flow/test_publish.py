"""Publishing: a snapshot that no later edit reaches."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.errors import NotFound
from dispatcher.flow.integrations.editing.publish import publish
from tests.flow.definition_desk import NOW_MS, URL, Desk, desk_on


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def test_published_revision_is_a_snapshot(desk: Desk) -> None:
    published = await desk.published()
    await desk.update(published.id, {"createUrl": URL + "/new"})
    first = await desk.definitions.revision(published.id, 1)
    assert first is not None
    assert first.urls == {"createUrl": URL}
    assert (first.number, first.created_ms, first.created_by) == (1, NOW_MS, "client")
    again = await publish(desk.definitions, published.id, "other", NOW_MS + 5)
    assert again.published_revision == 2
    second = await desk.definitions.revision(published.id, 2)
    assert second is not None
    assert second.urls == {"createUrl": URL + "/new"}
    assert (await desk.definitions.revision(published.id, 1)) == first


async def test_working_version_keeps_number_zero(desk: Desk) -> None:
    published = await desk.published()
    assert published.working.number == 0
    assert published.working.created_by == ""


async def test_publishing_at_once_makes_one_revision_for_each_call(desk: Desk) -> None:
    created = (await desk.create()).integration
    await asyncio.gather(*(publish(desk.definitions, created.id, str(n), NOW_MS) for n in range(4)))
    assert [one.number for one in await desk.definitions.revisions(created.id)] == [1, 2, 3, 4]
    assert {one.created_by for one in await desk.definitions.revisions(created.id)} == {"0", "1", "2", "3"}


async def test_unknown_integration_cannot_be_published(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await publish(desk.definitions, "34827", "client", NOW_MS)

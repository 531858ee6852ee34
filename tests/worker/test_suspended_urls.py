"""A URL that answered 410 Gone, from the 410 to the end: another one is published, and what waited goes there."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.flow.events.acting.pause import resume
from dispatcher.flow.events.acting.suspended_urls import enable_url, suspended_urls
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop

OLD, NEW, OTHER = "/old", "/new", "/other"


async def publishing(shop: Shop, integration: Integration, **paths: str) -> Integration:
    """Publish this of the integration from now on."""
    urls = {name: shop.host.url(path) for name, path in paths.items()}
    await shop.definitions.edit(
        integration.id,
        lambda now: replace(now, working=replace(now.working, urls=urls), modified_ms=now.modified_ms + 1),
    )
    return await publish(shop.definitions, integration.id, "test", 3)


async def gone(shop: Shop) -> tuple[Integration, list[str]]:
    """One event that met a 410, and three that wait: one parked, one behind it, one of another account."""
    integration = await shop.integration({"upgradeUrl": shop.host.url(OLD)})
    first = await shop.emit(integration)
    shop.host.replies.append(Reply(410, b""))
    await shop.work()
    assert (await shop.ended(first)).state.status is Status.DEAD
    waiting = [await shop.emit(integration, account) for account in ("A", "A", "B")]
    for event_id in waiting:
        await shop.status(event_id, Status.HELD)
    return integration, waiting


async def go_on(shop: Shop, integration: Integration) -> None:
    newest = await shop.definitions.needed(integration.id)
    await resume(newest, shop.definitions, shop.queue, lambda _: None, 5)


async def all_ended(shop: Shop, event_ids: list[str]) -> list[StoredEvent]:
    return [await shop.ended(event_id) for event_id in event_ids]


def paths(shop: Shop) -> list[str]:
    return [request.path for request in shop.host.requests]


async def test_a38_what_a_410_parked_goes_to_the_url_published_since_in_order(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, upgradeUrl=NEW)
    await go_on(shop, integration)
    ended = await all_ended(shop, waiting)
    assert {stored.state.status for stored in ended} == {Status.SUCCEEDED}
    assert {stored.state.revision for stored in ended} == {2}
    assert paths(shop) == [OLD, NEW, NEW, NEW]
    ids = [request.headers["webhook-id"] for request in shop.host.requests]
    assert ids.index(waiting[0]) < ids.index(waiting[1])
    assert {attempt.url for attempt in await shop.attempts(waiting)} == {shop.host.url(NEW)}
    await shop.assert_well()


async def test_a38_one_type_is_enabled_and_a_pause_stays(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, upgradeUrl=NEW)
    await shop.queue.pause(integration.id)
    newest = await shop.definitions.needed(integration.id)
    enabled = await enable_url(newest, EventType.SUBSCRIPTION_CHANGE, shop.definitions, shop.queue)
    assert (enabled.released, enabled.was_suspended) == (2, True)
    why = await shop.queue.explain(waiting[0])
    assert why is not None
    assert why.reason == "paused"
    await go_on(shop, integration)
    assert {stored.state.status for stored in await all_ended(shop, waiting)} == {Status.SUCCEEDED}
    assert paths(shop) == [OLD, NEW, NEW, NEW]


async def test_a38_a_url_that_is_still_published_is_tried_again_with_the_revision_of_the_event(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, upgradeUrl=OLD, cancelUrl=OTHER)
    await go_on(shop, integration)
    ended = await all_ended(shop, waiting)
    assert {stored.state.status for stored in ended} == {Status.SUCCEEDED}
    assert {stored.state.revision for stored in ended} == {None}
    assert paths(shop) == [OLD] * 4


async def test_a38_each_type_goes_where_it_goes_now_although_another_stays(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, upgradeUrl=NEW, cancelUrl=OLD)
    await go_on(shop, integration)
    assert {stored.state.status for stored in await all_ended(shop, waiting)} == {Status.SUCCEEDED}
    assert paths(shop) == [OLD, NEW, NEW, NEW]


async def test_a38_an_event_whose_url_never_answered_410_keeps_it(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await shop.stop_all()
    await publishing(shop, integration, upgradeUrl=NEW)
    other = await shop.integration({"upgradeUrl": shop.host.url(OTHER)})
    kept = await shop.emit(other)
    await publishing(shop, other, upgradeUrl=NEW)
    await go_on(shop, integration)
    await shop.work()
    await all_ended(shop, [*waiting, kept])
    (attempt,) = await shop.attempts([kept])
    assert attempt.url == shop.host.url(OTHER)


async def test_what_waits_stays_while_nothing_is_published_in_its_place(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, cancelUrl=NEW)
    await go_on(shop, integration)
    newest = await shop.definitions.needed(integration.id)

    async def suspended_again() -> bool:
        urls = await suspended_urls(newest, shop.definitions, shop.queue)
        return [(one.url, one.published) for one in urls] == [(shop.host.url(OLD), False)]

    await until(suspended_again)
    for event_id in waiting:
        await shop.status(event_id, Status.HELD)
    await publishing(shop, integration, upgradeUrl=NEW)
    await go_on(shop, integration)
    assert {stored.state.status for stored in await all_ended(shop, waiting)} == {Status.SUCCEEDED}
    assert paths(shop) == [OLD, NEW, NEW, NEW]


async def test_urls_that_were_left_are_forgotten_once_nothing_is_in_the_lane(shop: Shop) -> None:
    integration, waiting = await gone(shop)
    await publishing(shop, integration, upgradeUrl=NEW)
    await go_on(shop, integration)
    await all_ended(shop, waiting)
    partition = shop.queue.partition_of(integration.id)
    left = keys.left_urls(partition, integration.id)
    assert await shop.redis.hkeys(left) == [shop.host.url(OLD).encode()]  # type: ignore[misc]
    await shop.stop_all()
    await shop.store.repair_lanes([partition])
    assert await shop.redis.exists(left) == 0
    assert await shop.redis.hexists(keys.lane(partition, integration.id), "left") is False  # type: ignore[misc]

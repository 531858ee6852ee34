"""DEVELOPMENT events: each try goes by the WORKING version that it was accepted with, whatever is edited since."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.flow.events.making.emit import Emission, Emitter
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.sealed import SealedDefinitions
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.server_time import server_now_ms
from tests.hosts import Reply
from tests.worker.conftest import Shop

OLD, NEW = "/old", "/new"
SHOP = Caller("shop", frozenset())
UPGRADE = Emission("upgrade", "P-1", "A", flag="DEVELOPMENT")


def cache_of(shop: Shop) -> DefinitionCache:
    return DefinitionCache(shop.definitions, shop.redis)


async def linked(shop: Shop) -> Integration:
    made = await shop.integration({"upgradeUrl": shop.host.url(OLD)})
    await shop.definitions.link("P-1", made.id, 1)
    return made


async def emitted(shop: Shop) -> Event:
    """Accepted with the WORKING version as it is now."""
    now_ms = await server_now_ms(shop.redis)
    event = await Emitter(cache_of(shop), shop.queue.partition_of, lambda: now_ms).event(UPGRADE, SHOP)
    await shop.queue.accept([event])
    return event


async def edited(shop: Shop, integration: Integration) -> None:
    urls = {"upgradeUrl": shop.host.url(NEW)}
    await shop.definitions.edit(
        integration.id,
        lambda now: replace(now, working=replace(now.working, urls=urls), modified_ms=now.modified_ms + 1),
    )


def paths(shop: Shop) -> list[str]:
    return [request.path for request in shop.host.requests]


async def test_every_try_goes_by_what_the_event_was_accepted_with(shop: Shop) -> None:
    integration = await linked(shop)
    first = await emitted(shop)
    await edited(shop, integration)
    second = await emitted(shop)
    shop.host.replies.append(Reply(500, b""))
    await shop.work()
    for event in (first, second):
        assert (await shop.ended(event.id, 30)).state.status is Status.SUCCEEDED
    assert paths(shop) == [OLD, OLD, NEW]


async def test_a_redelivery_goes_by_what_there_is_then(shop: Shop) -> None:
    integration = await linked(shop)
    event = await emitted(shop)
    shop.host.replies.append(Reply(200, b'{"success": false}'))
    await shop.work()
    assert (await shop.ended(event.id, 30)).state.status is Status.FAILED
    await edited(shop, integration)
    await redeliver(event, shop.queue, cache_of(shop))
    await shop.until(event.id, lambda stored: stored.state.status is Status.SUCCEEDED, 30)
    assert paths(shop) == [OLD, NEW]


async def test_a_version_that_is_kept_no_longer_is_the_one_that_there_is(shop: Shop) -> None:
    integration = await linked(shop)
    event = await emitted(shop)
    assert event.working_ms is not None
    copy = keys.revision(integration.id, -event.working_ms)
    assert await shop.redis.ttl(copy) > 0
    await edited(shop, integration)
    await shop.redis.delete(copy)
    await shop.work()
    assert (await shop.ended(event.id, 30)).state.status is Status.SUCCEEDED
    assert paths(shop) == [NEW]


async def test_copies_are_one_for_each_edit_sealed_again_and_deleted_with_their_integration(shop: Shop) -> None:
    integration = await linked(shop)
    events = [await emitted(shop) for _ in range(2)]
    await edited(shop, integration)
    events.append(await emitted(shop))
    copies = {keys.revision(integration.id, -(one.working_ms or 0)) for one in events}
    assert len(copies) == 2
    owners = await SealedDefinitions(shop.redis).owners()
    sealed = {record.key async for record in SealedDefinitions(shop.redis).records(owners)}
    assert copies <= sealed
    await shop.definitions.unlink("P-1", integration.id, 9)
    await shop.definitions.delete(integration.id)
    assert await shop.redis.exists(*copies, keys.pins(integration.id)) == 0

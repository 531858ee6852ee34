"""Pings on schedule: started once by whichever worker is there, kept with the others, stopped when told to."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dispatcher.flow.pings.schedule import Probing, one_for_each_url, plan_probes
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingStatus, PingTest, PingTrigger, PingVersion
from dispatcher.store.definitions.pings.history import KEPT
from dispatcher.store.keys import definitions as keys
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop
from tests.worker.test_ping import Pings


async def every(shop: Shop, integration: Integration, minutes: int | None) -> Integration:
    changed = await shop.definitions.edit(integration.id, lambda one: replace(one, probe_interval_minutes=minutes))
    await plan_probes(shop.definitions, changed)
    return changed


async def probed(shop: Shop, integration: Integration, timeout_s: float = 10) -> PingTest:
    async def ended() -> PingTest | None:
        last = await shop.definitions.pings.last(integration.id)
        return last if last is not None and last.status is not PingStatus.RUNNING else None

    return await until(ended, timeout_s)


async def due_in_s(shop: Shop, integration: Integration) -> float | None:
    score = await shop.redis.zscore(keys.PINGS_DUE, integration.id)
    seconds, microseconds = await shop.redis.time()
    return None if score is None else score / 1000 - seconds - microseconds / 1e6


async def again(shop: Shop, integration: Integration) -> None:
    await shop.definitions.pings_due.at(integration.id, 0)


@pytest.fixture
def probing(shop: Shop) -> Probing:
    return Probing(shop.definitions, Pings(shop).starter)


async def test_integration_with_an_interval_is_pinged_by_itself_once_for_each_url(shop: Shop) -> None:
    integration = await shop.integration()
    for _ in range(3):
        await shop.work()
    await every(shop, integration, 5)
    test = await probed(shop, integration)
    assert (test.trigger, test.version, test.status) == (
        PingTrigger.SCHEDULE,
        PingVersion.PUBLISHED,
        PingStatus.PASSED,
    )
    assert len(test.results) == len(shop.host.requests) == 1
    await asyncio.sleep(2.2)
    assert len(shop.host.requests) == 1
    left_s = await due_in_s(shop, integration)
    assert left_s is not None
    assert 280 < left_s <= 300


async def test_due_ping_is_taken_once_by_many_workers(shop: Shop, probing: Probing) -> None:
    for _ in range(5):
        await every(shop, await shop.integration(), 1)
    assert sum(await asyncio.gather(*(probing.once() for _ in range(4)))) == 5


async def test_ping_of_a_lost_taker_is_due_again(shop: Shop) -> None:
    integration = await every(shop, await shop.integration(), 60)
    taken = await shop.definitions.pings_due.take(10)
    assert taken.ids == (integration.id,)
    left_s = await due_in_s(shop, integration)
    assert left_s is not None
    assert 50 < left_s <= 60


async def test_integration_without_interval_or_that_is_gone_is_dropped(shop: Shop, probing: Probing) -> None:
    integration = await every(shop, await shop.integration(), 5)
    await every(shop, integration, None)
    assert await due_in_s(shop, integration) is None
    deleted = await every(shop, await shop.integration(), 5)
    await shop.definitions.delete(deleted.id)
    assert await probing.once() == 1
    assert await due_in_s(shop, deleted) is None
    assert await shop.definitions.pings.last(deleted.id) is None


async def test_integration_with_nothing_to_ping_stays_on_schedule(shop: Shop, probing: Probing) -> None:
    integration = await every(shop, await shop.integration({}), 5)
    assert await probing.once() == 1
    assert await shop.definitions.pings.last(integration.id) is None
    left_s = await due_in_s(shop, integration)
    assert left_s is not None
    assert left_s > 200


async def test_history_keeps_fifty_and_shows_the_outage(shop: Shop, probing: Probing) -> None:
    integration = await every(shop, await shop.integration(), 1)
    await shop.work()
    await probed(shop, integration)
    shop.host.default = Reply(500, b"")
    await again(shop, integration)

    async def failed() -> bool:
        return (await probed(shop, integration)).status is PingStatus.FAILED

    await until(failed)
    history = await shop.definitions.pings.history(integration.id)
    assert [one.status for one in history] == [PingStatus.FAILED, PingStatus.PASSED]
    await shop.stop_all()
    for _ in range(KEPT + 5):
        await again(shop, integration)
        await probing.once()
    assert len(await shop.definitions.pings.history(integration.id, 1000)) == KEPT


async def test_one_type_stands_for_all_that_share_a_url(shop: Shop) -> None:
    urls = {"createUrl": "http://a/", "cancelUrl": "http://a/", "assignUrl": "http://b/", "eventStatusUrl": "http://c/"}
    integration = await shop.integration(urls)
    assert [one.value for one in one_for_each_url(integration.working)] == ["SUBSCRIPTION_ORDER", "USER_ASSIGNMENT"]

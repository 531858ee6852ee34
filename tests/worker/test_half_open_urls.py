"""A URL that is enabled after a 410: one event finds out if its host is still gone, the others wait for that."""

from __future__ import annotations

import pytest

from dispatcher.flow.events.acting.pause import resume
from dispatcher.flow.events.acting.suspended_urls import enable_url
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.keys import queue as keys
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop

ACCOUNTS = 12
GONE = Reply(410, b"", delay_s=0.2)
"""Long enough for all that may go at once to be under way before the first is answered."""


async def parked(shop: Shop) -> tuple[Integration, list[str]]:
    """Heads of as many accounts, parked behind a 410."""
    integration = await shop.integration({"upgradeUrl": shop.host.url("/a")})
    first = await shop.emit(integration)
    shop.host.default = GONE
    await shop.work()
    assert (await shop.ended(first)).state.status is Status.DEAD
    waiting = [await shop.emit(integration, f"A-{n}") for n in range(ACCOUNTS)]
    for event_id in waiting:
        await shop.status(event_id, Status.HELD)
    return integration, waiting


async def statuses(shop: Shop, event_ids: list[str]) -> list[Status]:
    found = [await shop.queue.get(event_id) for event_id in event_ids]
    return [stored.state.status for stored in found if stored is not None]


async def let_go(shop: Shop, integration: Integration, *, by_type: bool) -> None:
    newest = await shop.definitions.needed(integration.id)
    if by_type:
        await enable_url(newest, EventType.SUBSCRIPTION_CHANGE, shop.definitions, shop.queue)
    else:
        await resume(newest, shop.definitions, shop.queue, lambda _: None, 5)


@pytest.mark.parametrize("by_type", [False, True], ids=["resumed", "enabled"])
async def test_of_all_that_is_let_go_to_a_host_still_gone_one_event_dies(shop: Shop, by_type: bool) -> None:
    integration, waiting = await parked(shop)
    await let_go(shop, integration, by_type=by_type)

    async def suspended_again() -> bool:
        now = await statuses(shop, waiting)
        settled = now.count(Status.DEAD) + now.count(Status.HELD) == ACCOUNTS
        return settled and bool(await shop.queue.suspended_urls(integration.id))

    await until(suspended_again, 30)
    assert (await statuses(shop, waiting)).count(Status.DEAD) <= 1
    shop.host.default = Reply()
    await let_go(shop, integration, by_type=by_type)
    left = [one for one in waiting if (await statuses(shop, [one])) != [Status.DEAD]]
    assert {(await shop.ended(one, 30)).state.status for one in left} == {Status.SUCCEEDED}
    half_open = keys.half_open_urls(shop.queue.partition_of(integration.id), integration.id)

    async def forgotten() -> bool:
        return not bool(await shop.redis.exists(half_open))

    await until(forgotten, 30)
    await shop.assert_well()


async def test_what_waits_for_the_first_attempt_says_so(shop: Shop) -> None:
    integration, waiting = await parked(shop)
    shop.host.default = Reply(hang=True)
    await let_go(shop, integration, by_type=False)

    async def one_says_so() -> bool:
        found = [await shop.queue.explain(event_id) for event_id in waiting]
        return any(why is not None and why.reason is Reason.URL_HALF_OPEN for why in found)

    await until(one_says_so, 30)


async def test_a_host_that_answers_anything_else_gets_all_of_it(shop: Shop) -> None:
    integration, waiting = await parked(shop)
    shop.host.default = Reply()
    shop.host.replies.append(Reply(500, b"", delay_s=0.2))
    await let_go(shop, integration, by_type=False)

    async def one_retries_and_others_arrive() -> bool:
        now = await statuses(shop, waiting)
        return now.count(Status.SUCCEEDED) >= ACCOUNTS - 1

    await until(one_retries_and_others_arrive, 30)

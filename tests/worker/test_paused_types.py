"""One event type paused everywhere: accepted and held, its accounts in order, all others delivered."""

from __future__ import annotations

import pytest

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Explanation, Pause, Reason
from dispatcher.model.status import Status
from dispatcher.store.redis.server_time import server_now_ms
from tests.waiting import until
from tests.worker.conftest import Shop
from worker.delivery import held_types

CHANGE, ORDER = EventType.SUBSCRIPTION_CHANGE, EventType.SUBSCRIPTION_ORDER


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_types, "AGAIN_S", 0.2)


async def test_events_of_a_paused_type_wait_and_go_on_in_their_order(shop: Shop) -> None:
    pauses, now_ms = shop.queue.type_pauses, await server_now_ms(shop.redis)
    integration = await shop.integration()
    await pauses.pause(CHANGE, Pause("op", "deploy"), now_ms)
    held = await shop.emit(integration, "A")
    behind = await shop.emit(integration, "A", ORDER)
    other = await shop.emit(integration, "B", ORDER)
    await shop.work()
    assert (await shop.ended(other, 30)).state.status is Status.SUCCEEDED

    async def told() -> Explanation | None:
        """As it waits: for moments it is in a worker's hands, which puts it off."""
        why = await shop.queue.explain(held)
        return why if why is not None and why.reason is not Reason.IN_FLIGHT else None

    why, why_behind = await until(told, 30), await shop.queue.explain(behind)
    assert why_behind is not None
    assert (why.reason, why.detail) == (Reason.TYPE_PAUSED, "by op: deploy")
    assert (why_behind.reason, why_behind.blocked_by) == (Reason.BEHIND, held)
    assert len(shop.host.requests) == 1
    assert await pauses.resume(CHANGE, now_ms)
    assert (await shop.ended(behind, 30)).state.status is Status.SUCCEEDED
    stored = await shop.ended(held, 30)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 1)
    ids = [request.headers["webhook-id"] for request in shop.host.requests]
    assert ids == [other, held, behind]
    await shop.assert_well()


async def test_a_pause_ends_by_itself(shop: Shop) -> None:
    pauses, now_ms = shop.queue.type_pauses, await server_now_ms(shop.redis)
    integration = await shop.integration()
    await pauses.pause(CHANGE, Pause(until_ms=now_ms + 1500), now_ms)
    event_id = await shop.emit(integration)
    await shop.work()
    assert (await shop.ended(event_id, 30)).state.status is Status.SUCCEEDED


async def test_a_pause_keeps_its_beginning_and_one_that_is_over_is_none(shop: Shop) -> None:
    pauses = shop.queue.type_pauses
    await pauses.pause(CHANGE, Pause("op", "a"), 1_000)
    await pauses.pause(CHANGE, Pause("op", "b", 5_000), 2_000)
    (one,) = await pauses.all(3_000)
    assert (one.kind, one.pause, one.since_ms) == (CHANGE, Pause("op", "b", 5_000), 1_000)
    assert await pauses.all(5_000) == []
    assert not await pauses.resume(CHANGE, 5_000)

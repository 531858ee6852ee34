"""A worker sends what an integration's filter lets through, and says of the rest why it was not sent."""

from __future__ import annotations

import asyncio

from dispatcher.flow.events.reading.explain import sentence
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Explanation, Reason
from dispatcher.model.status import Status
from dispatcher.policy.integration_filter.conditions import MAX_STEPS
from dispatcher.policy.integration_filter.filter import FILTERED
from tests.worker.conftest import Shop


async def test_a_filtered_event_is_skipped_with_the_condition_and_nothing_is_sent(shop: Shop) -> None:
    integration = await shop.integration(filter={"type": "SUBSCRIPTION_CHANGE", "payload.x": {"$gt": 1}})
    event_id = await shop.emit(integration)
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.error_code, stored.state.attempts) == (Status.SKIPPED, FILTERED, 0)
    assert stored.state.error_message == "the integration's filter asks for payload.x $gt 1"
    assert shop.host.requests == []
    why = await shop.queue.explain(event_id)
    assert why is not None
    assert why.reason is Reason.FILTERED
    assert "payload.x $gt 1" in sentence(why)
    await shop.assert_well()


async def test_what_meets_the_filter_is_sent_and_goes_past_what_does_not(shop: Shop) -> None:
    integration = await shop.integration(filter={"type": {"$in": ["SUBSCRIPTION_CHANGE"]}, "accountId": "A"})
    left_out = await shop.emit(integration, kind=EventType.SUBSCRIPTION_CANCEL)
    sent = await shop.emit(integration)
    await shop.work()
    assert (await shop.ended(sent)).state.status is Status.SUCCEEDED
    assert (await shop.ended(left_out)).state.status is Status.SKIPPED
    assert [request.headers["webhook-id"] for request in shop.host.requests] == [sent]
    await shop.assert_well()


async def test_the_status_url_hears_of_a_filtered_event(shop: Shop) -> None:
    urls = {"upgradeUrl": shop.host.url("/n"), "eventStatusUrl": shop.host.url("/status")}
    event_id = await shop.emit(await shop.integration(urls, filter={"payload.x": 2}))
    await shop.work()
    await shop.host.wait_for(1)
    (told,) = shop.host.to("/status")
    about = told.json["payload"]["event"]
    assert (about["id"], about["status"], about["error"]["code"]) == (event_id, "SKIPPED", FILTERED)


async def put_off(shop: Shop, event_id: str) -> Explanation:
    """The reason once a worker has looked at the event and given it back."""
    async with asyncio.timeout(15):
        while (why := await shop.queue.explain(event_id)) is None or why.reason is not Reason.PUT_OFF:
            await asyncio.sleep(0.02)
    return why


async def test_a_filter_that_cannot_be_read_holds_its_events_and_nothing_else(shop: Shop) -> None:
    held = await shop.emit(await shop.integration(filter={"$later": 1}))
    other = await shop.emit(await shop.integration(filter={"type": {"$in": ["SUBSCRIPTION_CHANGE"]}}))
    await shop.work()
    assert (await shop.ended(other)).state.status is Status.SUCCEEDED
    told = sentence(await put_off(shop, held))
    assert "goes on within ten seconds" in told, "nobody can tell it from an event whose type was resumed just now"
    assert "the worker's log says" in told
    stored = await shop.queue.get(held)
    assert stored is not None
    assert (stored.state.status, stored.state.attempts, stored.state.tries) == (Status.QUEUED, 0, 0)
    assert [request.headers["webhook-id"] for request in shop.host.requests] == [other]
    await shop.assert_well()


async def test_an_event_that_costs_its_filter_too_much_is_retried_and_neither_sent_nor_skipped(shop: Shop) -> None:
    dear = {"$and": [{f"payload.list.x{n}": None} for n in range(50)]}
    integration = await shop.integration(filter=dear, schedule_s=(60.0,))
    event_id = await shop.emit(integration, payload={"list": [{"y": 1}] * 10_000})
    await shop.work()
    stored = await shop.status(event_id, Status.RETRYING)
    assert stored.state.error_code == "CONFIGURATION_ERROR"
    (attempt,) = await shop.attempts([event_id])
    assert attempt.outcome is Outcome.CONFIGURATION_ERROR
    assert f"{MAX_STEPS} steps" in (attempt.error_detail or "")
    assert shop.host.requests == []
    await shop.assert_well()


async def test_an_event_that_costs_its_filter_too_much_is_dead_after_its_last_attempt(shop: Shop) -> None:
    integration = await shop.integration(filter={"payload.x": {"$ne": 1}}, schedule_s=())
    event_id = await shop.emit(integration, payload={"x": [2] * 20_000})
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.error_code) == (Status.DEAD, "CONFIGURATION_ERROR")
    assert shop.host.requests == []

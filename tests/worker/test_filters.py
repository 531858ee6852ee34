"""A worker sends what an integration's filter lets through, and says of the rest why it was not sent."""

from __future__ import annotations

from dispatcher.flow.events.explain import sentence
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.policy.filters import FILTERED
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


async def test_a_filter_that_cannot_be_read_lets_events_through(shop: Shop) -> None:
    event_id = await shop.emit(await shop.integration(filter={"$later": 1}))
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED

"""Operators are told what happens: signed, in order, bounded, and never about what they are told."""

from __future__ import annotations

from typing import Any

import pytest
from standardwebhooks import Webhook

from dispatcher.errors import ConfigurationError, StoreUnavailable
from dispatcher.flow.events.making.operational_events import OperationalEvents
from dispatcher.model.event_type import EventType
from dispatcher.model.operational import OPERATIONS, OperationalEvent, OperationalKind
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from tests.hosts import Received, Reply
from tests.waiting import until
from tests.worker.conftest import SECRET, Shop
from worker.resources import operations_of

PATH = "/operations"
DEAD_SCHEDULE: tuple[float, ...] = ()


def listening(shop: Shop) -> dict[str, Any]:
    """Settings of a worker whose operator listens at the host."""
    changed = {"operations_url": shop.host.url(PATH), "operations_secret": SECRET}
    return shop.settings.model_validate(changed).model_dump(include=set(changed))


async def told(shop: Shop, count: int, timeout_s: float = 15) -> list[Received]:
    await until(lambda: len(shop.host.to(PATH)) >= count, timeout_s)
    return shop.host.to(PATH)


def read(request: Received) -> Any:
    """Verified by somebody else's library."""
    return Webhook(SECRET).verify(request.body.decode(), dict(request.headers))


async def test_dead_letter_is_told_as_a_signed_event(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(500)
    integration = await shop.integration(schedule_s=DEAD_SCHEDULE)
    await shop.work(**listening(shop))
    event_id = await shop.emit(integration)
    message = read((await told(shop, 1))[0])
    assert message["type"] == "event.dead"
    assert message["id"] == shop.host.to(PATH)[0].headers["webhook-id"]
    assert message["data"]["integrationId"] == integration.id
    assert message["data"]["firstEventId"] == message["data"]["lastEventId"] == event_id
    assert message["data"]["count"] == 1


async def test_storm_of_dead_letters_of_one_cause_is_told_once(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(500)
    integration = await shop.integration(schedule_s=DEAD_SCHEDULE)
    await shop.work(**listening(shop))
    first = await shop.emit(integration, None)
    await told(shop, 1)
    for event_id in [await shop.emit(integration, None) for _ in range(30)]:
        await shop.ended(event_id)
    await shop.stop_all()  # leaving queues what was still to be told
    own = EventFilter(types=frozenset({EventType.OPERATIONAL}))
    (message,) = (await shop.queue.page(own, None, 50)).items
    assert message.event.payload is not None
    assert message.event.payload["data"]["firstEventId"] == first


async def test_dead_letters_of_another_cause_or_after_a_recovery_are_told_anew(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(500)
    integration = await shop.integration(schedule_s=DEAD_SCHEDULE)
    await shop.work(**listening(shop))
    first = await shop.emit(integration, None)
    await told(shop, 1)
    shop.host.by_path["/notifications"] = Reply.of(503)
    await shop.ended(await shop.emit(integration, None))
    shop.host.by_path["/notifications"] = Reply.of(500)
    await shop.queue.redeliver(first, None)
    await shop.ended(first)
    await shop.stop_all()  # leaving queues what was still to be told
    await shop.work(**listening(shop))
    messages = [read(one)["data"] for one in await told(shop, 2)]
    assert [(one["count"], one["error"]) for one in messages] == [(1, "HTTP 500"), (2, "HTTP 500")]


async def test_new_owner_knows_that_credentials_were_failing_and_tells_when_they_are_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAILING stuck for ever when another worker took the partition before a token could be had again."""
    monkeypatch.setattr("worker.oauth.slot.FAILURE_MEMORY_S", 1.0)
    shop.host.tokens.replies.extend(Reply.of(401, {"error": "invalid_client"}) for _ in range(3))
    integration = await shop.integration(oauth2=True, schedule_s=(0.2, 3.0, 0.2))
    await shop.work(**listening(shop))
    event_id = await shop.emit(integration)
    failing = read((await told(shop, 1))[0])
    assert failing["data"]["errorCode"]
    assert failing["data"]["error"]
    await shop.stop_all()
    assert await shop.queue.credentials_failing_since(integration.id) is not None
    shop.host.tokens.replies.clear()
    await shop.work(**listening(shop))
    await shop.ended(event_id, 20)
    assert [read(one)["type"] for one in await told(shop, 2)] == ["credentials.failing", "credentials.authorized"]
    assert await shop.queue.credentials_failing_since(integration.id) is None


async def test_circuit_opened_and_closed_are_told(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply(reset=True)
    integration = await shop.integration(schedule_s=(0.05,) * 20)
    await shop.work(**listening(shop), circuit_failures=3, circuit_open=0.3)
    event_id = await shop.emit(integration)
    assert read((await told(shop, 1))[0])["type"] == "circuit.opened"
    del shop.host.by_path["/notifications"]
    await shop.ended(event_id)
    assert read((await told(shop, 2))[1])["type"] == "circuit.closed"


async def test_circuit_that_another_owner_opened_is_told_to_be_closed(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply(reset=True)
    integration = await shop.integration(schedule_s=(0.05,) * 20)
    await shop.work(**listening(shop), circuit_failures=3, circuit_open=1.5)
    event_id = await shop.emit(integration)
    await told(shop, 1)
    await shop.stop_all()
    del shop.host.by_path["/notifications"]
    await shop.work(**listening(shop))
    await shop.ended(event_id)
    assert [read(one)["type"] for one in await told(shop, 2)] == ["circuit.opened", "circuit.closed"]


async def test_suspended_url_is_told(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(410)
    integration = await shop.integration()
    await shop.work(**listening(shop))
    await shop.emit(integration)
    by_type = {(message := read(one))["type"]: message for one in await told(shop, 2)}
    assert set(by_type) == {"url.suspended", "event.dead"}
    assert by_type["url.suspended"]["data"]["url"] == shop.host.url("/notifications")


async def test_nothing_is_told_about_the_operators_own_url(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(500)
    shop.host.by_path[PATH] = Reply(reset=True)
    integration = await shop.integration(schedule_s=DEAD_SCHEDULE)
    await shop.work(**listening(shop), retry_schedule=(0.05, 0.05), circuit_failures=1, circuit_open=0.1)
    await shop.emit(integration)
    own = EventFilter(types=frozenset({EventType.OPERATIONAL}))

    async def dead() -> bool:
        return any(one.state.status is Status.DEAD for one in (await shop.queue.page(own, None, 50)).items)

    await until(dead)
    await shop.stop_all()  # leaving tells what was still to be told
    assert len((await shop.queue.page(own, None, 50)).items) == 1


async def test_where_no_operator_listens_nothing_is_queued(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply.of(500)
    integration = await shop.integration(schedule_s=DEAD_SCHEDULE)
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.stop_all()
    assert not (await shop.queue.page(EventFilter(types=frozenset({EventType.OPERATIONAL})), None, 50)).items


async def test_operational_events_are_left_out_of_lists_unless_asked_for(shop: Shop) -> None:
    news = OperationalEvents(shop.queue, lambda: 1)
    news.notify(OperationalEvent(OperationalKind.CIRCUIT_OPENED, "I", 1))
    await news.flush()
    assert not (await shop.queue.page(EventFilter(), None, 50)).items
    assert len((await shop.queue.page(EventFilter(integration_id=OPERATIONS), None, 50)).items) == 0
    await shop.assert_well()


@pytest.mark.parametrize("half", ["operations_url", "operations_secret"])
async def test_half_of_the_settings_stops_the_start(shop: Shop, half: str) -> None:
    settings = shop.settings.model_copy(update={half: listening(shop)[half]})
    with pytest.raises(ConfigurationError, match="set both"):
        operations_of(settings)


@pytest.mark.parametrize(
    ("changed", "text"),
    [({"operations_url": "ftp://x.example"}, "OPERATIONS_URL"), ({"operations_secret": "short"}, "OPERATIONS_SECRET")],
)
async def test_settings_that_cannot_work_stop_the_start(shop: Shop, changed: dict[str, str], text: str) -> None:
    settings = shop.settings.model_validate({**shop.settings.model_dump(), **listening(shop), **changed})
    with pytest.raises(ConfigurationError, match=text):
        operations_of(settings)


async def test_store_that_is_away_loses_nothing_that_was_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    accept, failures = shop.queue.accept, [StoreUnavailable("away"), RuntimeError("an error of ours")]

    async def away(events: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await accept(events)

    monkeypatch.setattr(shop.queue, "accept", away)
    news = OperationalEvents(shop.queue, lambda: 1)
    news.notify(OperationalEvent(OperationalKind.CIRCUIT_OPENED, "I", 1))
    for _ in range(4):
        await news.flush()
    own = EventFilter(types=frozenset({EventType.OPERATIONAL}))
    assert len((await shop.queue.page(own, None, 50)).items) == 1

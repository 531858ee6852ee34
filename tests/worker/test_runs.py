"""With DISPATCHER_RUN above 1 a worker sends the events of a busy account one after the other, several to a claim."""

from __future__ import annotations

import pytest

from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import Status
from dispatcher.settings import Settings
from tests.events import event_of
from tests.hosts import Received, Reply
from tests.worker.conftest import Shop
from worker.partition import pauses
from worker.partition.launcher import Launcher

EVENTS = 40
RUN = 16


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of heads of each claim that brought any."""
    brought: list[int] = []
    add = Launcher.add

    def counted(self: Launcher, owned: object, events: list[object]) -> None:
        if events:
            brought.append(len(events))
        add(self, owned, events)  # type: ignore[arg-type]

    monkeypatch.setattr(Launcher, "add", counted)
    return brought


async def _emit(shop: Shop, count: int, kinds: tuple[EventType, ...] = ()) -> list[str]:
    """Accepted together, so that none is claimed before the last is there."""
    lane = (await shop.integration()).id
    rest = (EventType.SUBSCRIPTION_CHANGE,) * (count - len(kinds))
    events = [event_of(lane, shop.settings.partitions, "A", kind) for kind in (*kinds, *rest)]
    await shop.queue.accept(events)
    return [event.id for event in events]


def _sent(shop: Shop) -> list[str]:
    return [request.headers["webhook-id"] for request in shop.host.requests]


async def test_one_account_is_sent_in_order_and_in_few_claims(shop: Shop, claims: list[int]) -> None:
    ids = await _emit(shop, EVENTS)
    await shop.work(run=RUN)
    await shop.ended(ids[-1], 30)
    assert list(dict.fromkeys(_sent(shop))) == ids
    assert len(claims) < EVENTS, "several to a claim"
    await shop.assert_well()


async def test_the_end_of_a_run_waits_for_no_pause(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pause of an hour, a single one that went on would keep the next run from being claimed."""
    monkeypatch.setattr(pauses, "GATHER_S", 3600.0)
    ids = await _emit(shop, EVENTS)
    await shop.work(run=RUN)
    await shop.ended(ids[-1], 30)
    assert list(dict.fromkeys(_sent(shop))) == ids


async def test_unless_it_is_set_each_event_of_an_account_is_claimed_alone(shop: Shop, claims: list[int]) -> None:
    assert Settings.model_fields["run"].default == 1
    ids = await _emit(shop, 5)
    await shop.work()
    await shop.ended(ids[-1], 30)
    assert len(claims) >= 5


async def test_an_event_that_fails_is_tried_again_before_those_behind_it(shop: Shop) -> None:
    def answer(request: Received) -> Reply:
        """Each third attempt fails."""
        return Reply.of(500) if len(shop.host.requests) % 3 == 0 else Reply()

    shop.host.default = answer
    ids = await _emit(shop, 12)
    await shop.work(run=RUN)
    await shop.ended(ids[-1], 30)
    sent = _sent(shop)
    assert list(dict.fromkeys(sent)) == ids
    assert sent == sorted(sent, key=ids.index), "none of an event once a later one has come"
    assert len(sent) > len(ids)
    await shop.assert_well()


async def test_an_event_that_is_skipped_lets_the_next_go(shop: Shop) -> None:
    lane = await shop.integration({TYPE_RULES[EventType.SUBSCRIPTION_CHANGE].url_field: shop.host.url()})
    kinds = (EventType.SUBSCRIPTION_CHANGE, EventType.USER_ASSIGNMENT) * 3
    events = [event_of(lane.id, shop.settings.partitions, "A", kind) for kind in kinds]
    await shop.queue.accept(events)
    await shop.work(run=RUN)
    statuses = [(await shop.ended(event.id, 30)).state.status for event in events]
    assert statuses == [Status.SUCCEEDED, Status.SKIPPED] * 3
    assert list(dict.fromkeys(_sent(shop))) == [event.id for event in events[::2]]


async def test_what_the_host_calls_the_account_is_known_to_the_next_event(shop: Shop) -> None:
    shop.host.replies.append(Reply.of(200, {"success": True, "accountIdentifier": "A-1"}))
    ids = await _emit(shop, 3, (EventType.SUBSCRIPTION_ORDER,))
    await shop.work(run=RUN)
    await shop.ended(ids[-1], 30)
    sent = {request.headers["webhook-id"]: request.json["payload"]["account"] for request in shop.host.requests}
    assert [sent[one] and sent[one]["accountIdentifier"] for one in ids] == [None, "A-1", "A-1"]


async def test_a_worker_that_is_stopped_in_a_run_gives_back_what_it_did_not_come_to(shop: Shop) -> None:
    shop.host.default = Reply(hang=True)
    ids = await _emit(shop, 10)
    stop = await shop.work(run=RUN, drain_timeout=0.0)
    await shop.host.wait_for(1, 30)
    stop.set()
    await shop.stop_all()
    await shop.assert_well()
    shop.host.default = Reply()
    await shop.work(run=RUN)
    await shop.ended(ids[-1], 30)
    sent = _sent(shop)
    assert len(sent) > len(ids), "the one that was under way comes again"
    assert list(dict.fromkeys(sent)) == ids
    await shop.assert_well()

"""Delivering now: the next attempt of a RETRYING event is due at once, and nothing else changes."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.errors import Conflict, NotFound
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.effect import LockChange, credentials_holder, update_holder
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement
from tests.store.desk import LANE, Desk

MINUTE_MS = 60_000


async def retrying(desk: Desk, account: str | None = "A") -> str:
    event_id = await desk.emit(account)
    assert await desk.ids() == [event_id]
    await desk.settle(event_id, Status.RETRYING, MINUTE_MS)
    assert await desk.ids() == []
    return event_id


async def refused(desk: Desk, event_id: str) -> tuple[str, str | None]:
    with pytest.raises(Conflict) as error:
        await desk.queue.bring_forward(event_id)
    (problem,) = error.value.problems
    return problem.code, problem.blocked_by


@pytest.mark.parametrize("account", ["A", None])
async def test_a_retrying_event_is_due_at_once_and_it_is_its_next_try(redis: Redis, account: str | None) -> None:
    desk = await Desk(redis).open()
    event_id = await retrying(desk, account)
    stored = await desk.queue.bring_forward(event_id)
    assert (stored.state.status, stored.state.tries) == (Status.RETRYING, 1)
    (claimed,) = (await desk.claim()).events
    assert (claimed.event.id, claimed.state.tries) == (event_id, 1)
    await desk.settle(event_id, Status.RETRYING, MINUTE_MS)
    again = await desk.queue.get(event_id)
    assert again is not None
    assert again.state.tries == 2
    await desk.assert_well()


async def test_bringing_it_forward_twice_makes_one_attempt(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await retrying(desk)
    first = await desk.queue.bring_forward(event_id)
    assert await desk.queue.bring_forward(event_id) == first
    assert await desk.ids() == [event_id]
    assert await refused(desk, event_id) == ("wrong_status", None)
    await desk.assert_well()


async def test_an_event_behind_another_is_refused_and_the_order_stays(redis: Redis) -> None:
    desk = await Desk(redis).open()
    head = await retrying(desk)
    second, third = await desk.emit("A"), await desk.emit("A")
    assert await refused(desk, second) == ("behind_event", head)
    assert await refused(desk, third) == ("behind_event", head)
    await desk.queue.bring_forward(head)
    for event_id in (head, second, third):
        assert await desk.ids() == [event_id]
        await desk.settle(event_id, Status.SUCCEEDED)
    await desk.assert_well()


@pytest.mark.parametrize("status", [Status.QUEUED, Status.DELIVERING, Status.AWAITING_RESULT, *sorted(Status)[:2]])
async def test_only_a_retrying_event_is_brought_forward(redis: Redis, status: Status) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    if status is not Status.QUEUED:
        await desk.ids()
    if status not in (Status.QUEUED, Status.DELIVERING):
        await desk.settle(event_id, status, MINUTE_MS)
    before = await desk.queue.get(event_id)
    with pytest.raises(Conflict, match=f"is {status}"):
        await desk.queue.bring_forward(event_id)
    assert await desk.queue.get(event_id) == before


@pytest.mark.parametrize(
    ("holder", "code"), [(update_holder("0" * 24), "update_locked"), (credentials_holder(7), "credentials_locked")]
)
async def test_a_locked_account_stays_locked(redis: Redis, holder: str, code: str) -> None:
    desk = await Desk(redis).open()
    event_id = await retrying(desk)
    await desk.queue.lock(LockChange(LANE, "A", holder, 1, locked=True))
    assert await refused(desk, event_id) == (code, None)
    await desk.queue.lock(LockChange(LANE, "A", holder, 2, locked=False))
    await desk.queue.bring_forward(event_id)
    assert await desk.ids() == [event_id]


@pytest.mark.parametrize(("field", "reason"), [("circuit", "circuit_open"), ("slow", "slowed_down_by_host")])
async def test_what_holds_the_lane_back_still_holds(redis: Redis, field: str, reason: str) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    (claimed,) = (await desk.claim()).events
    now_ms = claimed.state.created_ms
    held = [LaneSetting(LANE, field, now_ms + 10 * MINUTE_MS)]
    settlement = Settlement(claimed, Status.RETRYING, MINUTE_MS)
    assert await desk.worker.settle(desk.home, [settlement], held) == 1
    await desk.queue.bring_forward(event_id)
    assert await desk.ids() == []
    why = await desk.queue.explain(event_id)
    assert why is not None
    assert why.reason == reason


async def test_a_paused_lane_stays_paused(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await retrying(desk)
    await desk.queue.pause(LANE)
    await desk.queue.bring_forward(event_id)
    assert await desk.ids() == []
    await desk.queue.resume(LANE)
    assert await desk.ids() == [event_id]


async def test_an_event_that_was_attempted_since_it_was_asked_for_is_left_alone(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    (claimed,) = (await desk.claim()).events
    began_ms = claimed.state.created_ms + 5
    attempt = Attempt(claimed.n, began_ms, 1.0, "https://host.example", Outcome.HTTP_ERROR, 500)
    await desk.worker.settle(desk.home, [Settlement(claimed, Status.RETRYING, MINUTE_MS, attempt)])
    with pytest.raises(Conflict) as error:
        await desk.queue.bring_forward(event_id, began_ms)
    assert error.value.problems[0].code == "attempted_since"
    await desk.queue.bring_forward(event_id, began_ms + 1)
    assert await desk.ids() == [event_id]


async def test_what_is_not_there_is_not_brought_forward(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await redis.flushall()
    for one in (event_id, "nonsense"):
        with pytest.raises(NotFound):
            await desk.queue.bring_forward(one)

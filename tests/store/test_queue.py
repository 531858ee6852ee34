"""The queue's scripts against a real server: what is accepted has exactly one place, and leaves it once."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.clock import system_clock
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk


async def test_an_accepted_event_is_claimed_once_and_settled_once(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    assert await desk.status(event_id) is Status.QUEUED
    await desk.assert_well()
    assert await desk.ids() == [event_id]
    assert await desk.ids() == []
    assert await desk.status(event_id) is Status.DELIVERING
    await desk.assert_well()
    assert await desk.settle(event_id, Status.SUCCEEDED) == 1
    assert await desk.settle(event_id, Status.DEAD) == 0
    assert await desk.status(event_id) is Status.SUCCEEDED
    await desk.assert_well()


async def test_accepting_the_same_id_again_changes_nothing(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event = event_of(LANE, PARTITIONS, kind=EventType.USER_ASSIGNMENT)
    first = await desk.queue.accept([event])
    second = await desk.queue.accept([event])
    assert (first[0].sequence, second[0].sequence) == (1, 1)
    assert (first[0].replayed, second[0].replayed) == (False, True)
    assert await desk.ids() == [event.id]
    await desk.assert_well()


async def test_only_the_head_of_a_group_is_due(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first, second, other = await desk.emit("A"), await desk.emit("A"), await desk.emit("B")
    assert sorted(await desk.ids()) == sorted([first, other])
    assert await desk.status(second) is Status.HELD
    why = await desk.queue.explain(second)
    assert why is not None
    assert (why.reason, why.blocked_by) == (Reason.BEHIND, first)
    await desk.settle(first, Status.RETRYING, delay_ms=60_000)
    assert await desk.ids() == []
    await desk.assert_well()
    await desk.queue.resolve(first)
    assert await desk.ids() == [second]
    await desk.assert_well()


async def test_events_without_an_account_do_not_wait_for_each_other(redis: Redis) -> None:
    desk = await Desk(redis).open()
    both = {await desk.emit(None), await desk.emit(None)}
    assert set(await desk.ids()) == both


async def test_a_stale_generation_changes_nothing(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    await redis.hset(f"{{p{HOME}}}:own", "until", "0")  # type: ignore[misc]
    await redis.hset(f"{{p{HOME}}}:own", "granted", "0")  # type: ignore[misc]
    newer = await desk.store.grant(HOME, 3000)
    assert newer > desk.generation
    assert not await desk.store.own(HOME, desk.generation, "w1")
    assert await desk.settle(event_id, Status.SUCCEEDED) == -1
    assert await desk.store.own(HOME, newer, "w2")
    desk.worker.generations[HOME] = newer
    claim = await desk.claim()
    assert [(c.event.id, c.n) for c in claim.events] == [(event_id, 2)]
    attempts = await desk.queue.attempts(event_id)
    assert attempts is not None
    assert [a.outcome.value for a in attempts] == ["STARTED"]
    await desk.assert_well()


async def test_a_live_lease_is_not_granted_again(redis: Redis) -> None:
    desk = await Desk(redis).open()
    assert await desk.store.grant(HOME, 3000) == 0
    assert HOME not in await desk.store.unowned((), system_clock.now_ms())


async def test_a_claim_whose_reply_was_lost_is_given_back_untouched(redis: Redis) -> None:
    desk = await Desk(redis).open()
    lost, known = await desk.emit("A"), await desk.emit("B")
    await desk.ids()
    assert await desk.store.own(HOME, desk.generation, "w1", held=[(known, 1)])
    claim = await desk.claim()
    assert [(c.event.id, c.n) for c in claim.events] == [(lost, 1)]
    await desk.assert_well()


async def test_a_newer_claim_whose_reply_was_lost_is_given_back_though_an_older_one_still_runs(redis: Redis) -> None:
    """Symptom: nobody made the attempt until the partition went to another worker."""
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    assert await desk.ids() == [event_id]
    await desk.queue.result(event_id, success=False)
    await desk.queue.redeliver(event_id, None)
    lost = await desk.claim()
    assert [(c.event.id, c.n) for c in lost.events] == [(event_id, 2)]
    assert await desk.store.own(HOME, desk.generation, "w1", held=[(event_id, 1)])
    claim = await desk.claim()
    assert [(c.event.id, c.n) for c in claim.events] == [(event_id, 2)]
    await desk.assert_well()


async def test_rest_gives_everything_back(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    assert await desk.store.rest(HOME, desk.generation)
    assert HOME in await desk.store.unowned((), system_clock.now_ms())
    await desk.open()
    assert await desk.ids() == [event_id]
    await desk.assert_well()


async def test_a_result_may_overtake_the_202_that_announced_it(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    following = await desk.emit("A")
    await desk.ids()
    done = await desk.queue.result(event_id, success=True, account_identifier="A-1")
    assert done.state.status is Status.SUCCEEDED
    assert await desk.settle(event_id, Status.AWAITING_RESULT, delay_ms=1000) == 0
    assert await desk.status(event_id) is Status.SUCCEEDED
    claim = await desk.claim()
    assert [(c.event.id, c.account_identifier) for c in claim.events] == [(following, "A-1")]
    await desk.assert_well()


async def test_an_account_is_named_by_its_order_and_by_no_later_answer(redis: Redis) -> None:
    desk = await Desk(redis).open()
    change, order = EventType.SUBSCRIPTION_CHANGE, EventType.SUBSCRIPTION_ORDER
    for kind, answered in ((change, "A-0"), (order, "A-1"), (change, "A-2")):
        await desk.emit("A", kind)
        [claimed] = (await desk.claim()).events
        ended = Settlement(claimed, Status.SUCCEEDED, account_identifier=answered)
        assert await desk.worker.settle(HOME, [ended]) == 1
    await desk.emit("A")
    assert [one.account_identifier for one in (await desk.claim()).events] == ["A-1"]
    await desk.assert_well()


async def test_a_failed_event_is_redelivered_behind_what_waits(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first, second = await desk.emit("A"), await desk.emit("A")
    await desk.ids()
    await desk.settle(first, Status.DEAD)
    again = await desk.queue.redeliver(first, 7)
    assert again.state.status is Status.HELD
    assert again.state.revision == 7
    assert await desk.ids() == [second]
    await desk.settle(second, Status.SUCCEEDED)
    assert await desk.ids() == [first]
    await desk.assert_well()


async def test_a_settle_that_redis_forgot_does_not_fall_behind_the_claim_sent_with_it(redis: Redis) -> None:
    """Symptom: on a fresh server, what the first settle made due waited for the next renewal of the lease."""
    await redis.script_flush()
    await redis.function_flush("SYNC")  # type: ignore[misc]
    desk = await Desk(redis).open()
    first, second = await desk.emit("A"), await desk.emit("A")
    assert await desk.ids() == [first]
    settle = desk.store.settle_call(HOME, desk.generation, [Settlement(desk.claimed[first], Status.SUCCEEDED)])
    replies = await desk.store.round_trip([settle, desk.store.claim_call(HOME, desk.generation, 10)])
    claim = read_claim(replies[1])
    assert claim is not None
    assert [claimed.event.id for claimed in claim.events] == [second]


async def test_mending_repairs_what_was_deleted_by_hand_in_order(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit("A") for _ in range(5)]
    prefix = f"{{p{HOME}}}:"
    await redis.delete(f"{prefix}lanes", f"{prefix}d:{LANE}", f"{prefix}k:{LANE}:A", f"{prefix}open")
    assert await desk.ids() == []
    at = REPAIR_START
    repairs = 0
    for _ in range(3):
        at, made = (await desk.store.repair({HOME: at}))[HOME]
        repairs += made
    assert repairs >= 5
    for event_id in ids:
        assert await desk.ids() == [event_id]
        await desk.settle(event_id, Status.SUCCEEDED)
    _, made = (await desk.store.repair({HOME: REPAIR_START}))[HOME]
    assert made == 0
    await desk.assert_well()
    assert (await desk.queue.counters())["repairs:event"] == 5


async def test_mending_closes_what_ended_and_opens_what_did_not(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ended, waiting = await desk.emit("A"), await desk.emit("A")
    await desk.ids()
    await desk.settle(ended, Status.SUCCEEDED)
    await redis.delete(f"{{p{HOME}}}:open")
    await redis.sadd(f"{{p{HOME}}}:open", ended)  # type: ignore[misc]
    assert (await desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 2
    await desk.assert_well()
    assert await desk.ids() == [waiting]

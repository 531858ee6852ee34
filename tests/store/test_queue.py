"""The queue's scripts against a real server: what is accepted has exactly one place, and leaves it once."""

from __future__ import annotations

from importlib.resources import files

import pytest
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.ids import new_event_id, partition_of_lane
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, Reason
from dispatcher.model.status import Status
from dispatcher.store.claim_reply import read_claim
from dispatcher.store.partition import MEND_START, Claim, Claimed, Move, PartitionStore, Settlement
from dispatcher.store.queue import QueueStore
from dispatcher.store.scripts import NAMES

LANE = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
PARTITIONS = 4
HOME = partition_of_lane(LANE, PARTITIONS)


class Desk:
    """Both sides of one store, with the partition of LANE taken up."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.queue = QueueStore(client, partitions=PARTITIONS, retention_ms=3_600_000)
        self.worker = PartitionStore(client, partitions=PARTITIONS, retention_ms=3_600_000, lease_ms=5000, lane_cap=100)
        self.generation = 0
        self.claimed: dict[str, Claimed] = {}

    async def open(self) -> Desk:
        self.generation = await self.worker.grant(HOME, 3000)
        assert await self.worker.own(HOME, self.generation, "w1")
        return self

    async def emit(self, account: str | None, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> str:
        event = Event(new_event_id(1, HOME), kind, LANE, 1, product_id="p", account_id=account, payload={"x": 1})
        await self.queue.accept([event])
        return event.id

    async def claim(self, at_most: int = 100) -> Claim:
        replies = await self.worker.round_trip([self.worker.claim_call(HOME, self.generation, at_most)])
        claim = read_claim(replies[0])
        assert claim is not None
        self.claimed |= {claimed.event.id: claimed for claimed in claim.events}
        return claim

    async def ids(self, at_most: int = 100) -> list[str]:
        return [claimed.event.id for claimed in (await self.claim(at_most)).events]

    async def settle(self, event_id: str, to: Status | Move, delay_ms: int = 0) -> int:
        call = self.worker.settle_call(HOME, self.generation, [Settlement(self.claimed[event_id], to, delay_ms)])
        reply = (await self.worker.round_trip([call]))[0]
        return int(reply[1]) if reply[0] == b"ok" else -1

    async def status(self, event_id: str) -> Status:
        stored = await self.queue.get(event_id)
        assert stored is not None
        return stored.state.status

    async def assert_well(self) -> None:
        report = await self.worker.audit()
        assert report.well, report


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
    event = Event(new_event_id(1, HOME), EventType.USER_ASSIGNMENT, LANE, 1, account_id="A")
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
    newer = await desk.worker.grant(HOME, 3000)
    assert newer == desk.generation + 1
    assert not await desk.worker.own(HOME, desk.generation, "w1")
    assert await desk.settle(event_id, Status.SUCCEEDED) == -1
    assert await desk.worker.own(HOME, newer, "w2")
    desk.generation = newer
    claim = await desk.claim()
    assert [(c.event.id, c.n) for c in claim.events] == [(event_id, 2)]
    attempts = await desk.queue.attempts(event_id)
    assert attempts is not None
    assert [a.outcome.value for a in attempts] == ["STARTED"]
    await desk.assert_well()


async def test_a_live_lease_is_not_granted_again(redis: Redis) -> None:
    desk = await Desk(redis).open()
    assert await desk.worker.grant(HOME, 3000) == 0
    assert HOME not in await desk.worker.unowned()


async def test_a_claim_whose_reply_was_lost_is_given_back_untouched(redis: Redis) -> None:
    desk = await Desk(redis).open()
    lost, known = await desk.emit("A"), await desk.emit("B")
    await desk.ids()
    assert await desk.worker.own(HOME, desk.generation, "w1", held=[known])
    claim = await desk.claim()
    assert [(c.event.id, c.n) for c in claim.events] == [(lost, 1)]
    await desk.assert_well()


async def test_rest_gives_everything_back(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    assert await desk.worker.rest(HOME, desk.generation)
    assert HOME in await desk.worker.unowned()
    await desk.open()
    assert await desk.ids() == [event_id]
    await desk.assert_well()


async def test_a_lane_never_runs_more_than_its_cap(redis: Redis) -> None:
    desk = await Desk(redis).open()
    for _ in range(5):
        await desk.emit(None)
    await redis.hset(f"{{p{HOME}}}:l:{LANE}", "cap", "2")  # type: ignore[misc]
    taken = await desk.ids()
    assert len(taken) == 2
    assert await desk.ids() == []
    why = await desk.queue.explain(next(iter(set(await _waiting(desk)) - set(taken))))
    assert why is not None
    assert why.reason is Reason.CONCURRENCY
    await desk.settle(taken[0], Status.SUCCEEDED)
    assert len(await desk.ids()) == 1
    await desk.assert_well()


async def _waiting(desk: Desk) -> list[str]:
    page = await desk.queue.page(EventFilter(), None, 100)
    return [item.event.id for item in page.items]


async def test_a_released_event_is_as_if_it_had_not_been_claimed(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await desk.ids()
    await desk.settle(event_id, Move.RELEASE)
    stored = await desk.queue.get(event_id)
    assert stored is not None
    assert (stored.state.status, stored.state.attempts) == (Status.QUEUED, 0)
    assert await desk.ids() == [event_id]


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


async def test_what_is_parked_comes_back_in_order_on_resume(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first, second = await desk.emit("A"), await desk.emit("A")
    await desk.ids()
    await desk.queue.suspend_url(LANE, "https://host/x")
    await desk.settle(first, Status.HELD)
    assert await desk.status(first) is Status.HELD
    assert await desk.worker.suspended_urls(HOME, LANE) == {"https://host/x"}
    await desk.assert_well()
    assert await desk.queue.resume(LANE) == 1
    assert await desk.ids() == [first]
    await desk.settle(first, Status.SUCCEEDED)
    assert await desk.ids() == [second]
    await desk.assert_well()


async def test_a_paused_lane_accepts_and_holds(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.queue.pause(LANE)
    event_id = await desk.emit("A")
    assert await desk.ids() == []
    why = await desk.queue.explain(event_id)
    assert why is not None
    assert why.reason is Reason.PAUSED
    await desk.queue.resume(LANE)
    assert await desk.ids() == [event_id]


async def test_a_rate_is_never_exceeded(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await redis.hset(f"{{p{HOME}}}:l:{LANE}", "rate", "0.1")  # type: ignore[misc]
    for _ in range(10):
        await desk.emit(None)
    first = await desk.claim()
    assert len(first.events) <= 2
    assert first.next_due_ms is not None
    assert 0 < first.next_due_ms - first.now_ms <= 10_000
    assert await desk.ids() == []


async def test_the_sleeping_owner_is_nudged_by_an_accept(redis: Redis) -> None:
    desk = await Desk(redis).open()
    assert await desk.ids() == []
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe("dispatcher:nudge:w1")
        await desk.emit("A")
        await desk.emit("B")
        heard = [m for _ in range(6) if (m := await pubsub.get_message(timeout=0.1)) and m["type"] == "message"]
    assert [m["data"] for m in heard] == [str(HOME).encode()]


async def test_mending_repairs_what_was_deleted_by_hand_in_order(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit("A") for _ in range(5)]
    prefix = f"{{p{HOME}}}:"
    await redis.delete(f"{prefix}lanes", f"{prefix}d:{LANE}", f"{prefix}k:{LANE}:A", f"{prefix}open")
    assert await desk.ids() == []
    at = MEND_START
    repairs = 0
    for _ in range(3):
        at, made = (await desk.worker.mend({HOME: at}))[HOME]
        repairs += made
    assert repairs >= 5
    for event_id in ids:
        assert await desk.ids() == [event_id]
        await desk.settle(event_id, Status.SUCCEEDED)
    _, made = (await desk.worker.mend({HOME: MEND_START}))[HOME]
    assert made == 0
    await desk.assert_well()
    assert (await desk.queue.counters())["repairs:event"] == 5


async def test_the_audit_names_what_is_broken(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await redis.delete(f"{{p{HOME}}}:d:{LANE}")
    report = await desk.worker.audit()
    assert not report.well
    assert report.broken == {event_id: "it is in no place"}


async def test_lists_page_through_every_event_newest_first(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit(f"A{i % 3}") for i in range(25)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await desk.queue.page(EventFilter(), cursor, 10)
        seen += [item.event.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    only = await desk.queue.page(EventFilter(account_id="A1", statuses=frozenset({Status.QUEUED})), None, 10)
    assert [item.event.id for item in only.items] == [ids[1]]


async def test_the_overview_counts_every_place(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first = await desk.emit("A")
    await desk.emit("A")
    await desk.emit("B")
    view = await desk.queue.overview()
    assert (view.ready, view.waiting, view.in_flight) == (2, 1, 0)
    await desk.claim()
    await desk.settle(first, Status.RETRYING, delay_ms=60_000)
    view = await desk.queue.overview()
    assert (view.ready, view.waiting, view.scheduled, view.in_flight) == (0, 1, 1, 1)
    assert view.lanes[0].integration_id == LANE


async def test_changes_are_told_and_resumed(redis: Redis) -> None:
    desk = await Desk(redis).open()
    start = await desk.queue.newest_change()
    event_id = await desk.emit("A")
    await desk.ids()
    await desk.settle(event_id, Status.SUCCEEDED)
    changes = await desk.queue.changes(start)
    assert [(c.event_id, c.status) for c in changes] == [(event_id, Status.QUEUED), (event_id, Status.SUCCEEDED)]
    assert [c.status for c in await desk.queue.changes(changes[0].id)] == [Status.SUCCEEDED]


async def test_a_settle_that_redis_forgot_does_not_fall_behind_the_claim_sent_with_it(redis: Redis) -> None:
    """Symptom: on a fresh server, what the first settle made due waited for the next renewal of the lease."""
    await redis.script_flush()
    desk = await Desk(redis).open()
    first, second = await desk.emit("A"), await desk.emit("A")
    assert await desk.ids() == [first]
    settle = desk.worker.settle_call(HOME, desk.generation, [Settlement(desk.claimed[first], Status.SUCCEEDED)])
    replies = await desk.worker.round_trip([settle, desk.worker.claim_call(HOME, desk.generation, 10)])
    claim = read_claim(replies[1])
    assert claim is not None
    assert [claimed.event.id for claimed in claim.events] == [second]


def test_every_script_of_the_queue_is_known_by_name() -> None:
    scripts = files("dispatcher.store").joinpath("lua").iterdir()
    alone = {"_queue", "_audit", "audit_append", "client_swap", "drop_if_equal", "take"}
    of_the_queue = {p.name.removesuffix(".lua") for p in scripts if not p.name.startswith("def_")} - alone
    assert set(NAMES) == of_the_queue


async def test_a_cursor_of_another_listing_is_refused(redis: Redis) -> None:
    desk = await Desk(redis).open()
    for _ in range(3):
        await desk.emit("A")
    cursor = (await desk.queue.page(EventFilter(), None, 1)).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidRequest, match="nextCursor"):
        await desk.queue.page(EventFilter(account_id="A"), cursor, 1)

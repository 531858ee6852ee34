"""Runs: events of an account that one claim hands out, in the order of its list, of which the head alone is due."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.flow.events.reading.explain import SENTENCES, sentence
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claim, Claimed, LaneSetting, Move, Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk

URL = "https://host.test/x"
INSTALLED = "0b0e2a6c-2f1e-4f0e-9a53-3d1f6f0a7c11"


class Runs:
    """A desk whose worker claims runs, and the longest run of its last claim."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.members: list[Claimed] = []

    async def emit(self, count: int, account: str = "A", **more: object) -> list[str]:
        events = [event_of(LANE, PARTITIONS, account, **more) for _ in range(count)]  # type: ignore[arg-type]
        await self.desk.queue.accept(events)
        return [event.id for event in events]

    async def claim(self, at_most: int = 100) -> list[list[str]]:
        """Ids of each run, the longest first, each from its head on; an event that nothing follows is alone."""
        claim = await self.desk.claim(at_most)
        runs = [_run_of(claim, head) for head in claim.events]
        self.members = max(runs, key=len, default=self.members)
        return sorted(([one.event.id for one in run] for run in runs), key=len, reverse=True)

    async def settle(self, *ends: tuple[int, Status | Move]) -> int:
        """These of the last run, by their place in it, in one call."""
        wanted = [_settlement(self.members[place], to) for place, to in ends]
        return await self.desk.worker.settle(HOME, wanted)

    async def lane(self) -> list[int]:
        """What is counted of it: busy, and behind."""
        fields = await self.desk.client.hmget(f"{{p{HOME}}}:l:{LANE}", ["busy", "behind"])  # type: ignore[misc]
        return [int(field or 0) for field in fields]

    async def assert_nothing_is_left(self) -> None:
        assert await self.claim() == []
        assert await self.lane() == [0, 0]
        assert await self.desk.client.hlen(f"{{p{HOME}}}:flight") == 0  # type: ignore[misc]
        await self.assert_well()

    async def assert_well(self) -> None:
        await self.desk.assert_well()
        assert await self.desk.store.repair_lanes([HOME]) == {}
        assert (await self.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0


def _run_of(claim: Claim, head: Claimed) -> list[Claimed]:
    followers = claim.followers.get(head.claim_id)
    return [head, *(followers.events if followers else ())]


def _settlement(claimed: Claimed, to: Status | Move) -> Settlement:
    attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
    return Settlement(claimed, to, attempt=attempt)


@pytest.fixture
async def runs(redis: Redis) -> Runs:
    return Runs(await Desk(redis, run=4).open())


async def test_a_head_brings_those_that_come_next_and_its_lane_counts_them_once(runs: Runs) -> None:
    a, b = await runs.emit(6), await runs.emit(1, "B")
    assert await runs.claim() == [a[:4], b]
    assert await runs.lane() == [2, 2]
    assert [await runs.desk.status(one) for one in a[:5]] == [Status.DELIVERING] * 4 + [Status.HELD]
    await runs.assert_well()
    assert await runs.claim() == [], "nothing of a run is handed out again"
    assert await runs.settle(*((place, Status.SUCCEEDED) for place in range(4))) == 4
    assert await runs.claim() == [a[4:]]
    assert await runs.lane() == [2, 0]
    assert await runs.settle((0, Status.SUCCEEDED), (1, Status.SUCCEEDED)) == 2
    runs.members = [runs.desk.claimed[b[0]]]
    assert await runs.settle((0, Status.SUCCEEDED)) == 1
    await runs.assert_nothing_is_left()


async def test_every_due_head_comes_first_and_runs_take_the_places_that_are_left(runs: Runs) -> None:
    a, b, c = await runs.emit(3, "A"), await runs.emit(3, "B"), await runs.emit(3, "C")
    brought = await runs.claim(5)
    assert sorted(run[0] for run in brought) == sorted([a[0], b[0], c[0]])
    assert list(map(len, brought)) == [3, 1, 1]
    assert await runs.lane() == [3, 4]
    await runs.assert_well()


async def test_without_runs_one_event_of_an_account_is_handed_out_at_a_time(redis: Redis) -> None:
    runs = Runs(await Desk(redis).open())
    ids = await runs.emit(3)
    assert await runs.claim() == [ids[:1]]
    assert await redis.hgetall(f"{{p{HOME}}}:flight") == {ids[0].encode(): b"1"}  # type: ignore[misc]


async def test_what_is_settled_while_the_run_goes_on_makes_nothing_due(runs: Runs) -> None:
    ids = await runs.emit(5)
    await runs.claim()
    for place in range(3):
        assert await runs.settle((place, Status.SUCCEEDED)) == 1
        assert await runs.desk.client.zcard(f"{{p{HOME}}}:d:{LANE}") == 0
        assert await runs.lane() == [1, 1]
        await runs.assert_well()
    assert await runs.settle((3, Status.SUCCEEDED)) == 1
    assert await runs.claim() == [ids[4:]]


@pytest.mark.parametrize(
    ("end", "next_due"),
    [
        (Status.RETRYING, 1),
        (Status.HELD, None),
        (Status.AWAITING_RESULT, None),
        (Status.DEAD, 2),
        (Status.FAILED, 2),
        (Move.RELEASE, 1),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
async def test_what_ends_a_run_gives_the_rest_back_in_the_same_settle(
    runs: Runs, end: Status | Move, next_due: int | None, backwards: bool
) -> None:
    """In whatever order the rest comes."""
    ids = await runs.emit(5)
    await runs.claim()
    ends = [(1, end), (2, Move.RELEASE), (3, Move.RELEASE)]
    assert await runs.settle((0, Status.SUCCEEDED), *(ends[::-1] if backwards else ends)) == 4
    await runs.desk.assert_well()
    due = await runs.desk.client.zrange(f"{{p{HOME}}}:d:{LANE}", 0, -1)
    assert due == ([] if next_due is None else [ids[next_due].encode()])
    assert await runs.lane() == [0, len(ids) - (2 if next_due == 2 else 1) - 1]
    for event_id in ids[2:]:
        stored = await runs.desk.queue.get(event_id)
        assert stored is not None
        assert (stored.state.attempts, stored.state.status) == (
            0,
            Status.QUEUED if event_id.encode() in due else Status.HELD,
        )


async def test_a_settle_that_comes_twice_counts_once(runs: Runs) -> None:
    await runs.emit(5)
    await runs.claim()
    ends = ((0, Status.SUCCEEDED), (1, Status.RETRYING), (2, Move.RELEASE), (3, Move.RELEASE))
    assert await runs.settle(*ends) == 4
    assert await runs.settle(*ends) == 0
    assert await runs.lane() == [0, 3]
    await runs.assert_well()


@pytest.mark.parametrize("place", [0, 1, 3])
async def test_a_hand_may_end_any_of_a_run_while_it_is_under_way(runs: Runs, place: int) -> None:
    ids = await runs.emit(5)
    await runs.claim()
    await runs.desk.queue.resolve(ids[place])
    await runs.assert_well()
    assert await runs.settle(*((one, Status.SUCCEEDED) for one in range(4))) == 3
    assert await runs.claim() == [ids[4:]]
    assert await runs.settle((0, Status.SUCCEEDED)) == 1
    await runs.assert_nothing_is_left()


async def test_all_of_a_run_may_be_ended_by_hand_and_the_next_goes_on(runs: Runs) -> None:
    ids = await runs.emit(5)
    await runs.claim()
    for event_id in ids[:4]:
        await runs.desk.queue.resolve(event_id)
        await runs.assert_well()
    assert await runs.claim() == [ids[4:]]


async def test_after_a_lost_worker_all_of_a_run_comes_again_in_order_one_at_a_time(runs: Runs) -> None:
    ids = await runs.emit(6)
    await runs.claim()
    assert await runs.settle((0, Status.SUCCEEDED)) == 1
    await runs.desk.client.hset(f"{{p{HOME}}}:own", mapping={"until": 0, "granted": 0})  # type: ignore[misc]
    runs.desk.worker.name = "w2"
    await runs.desk.worker.own(HOME)
    await runs.assert_well()
    assert await runs.lane() == [0, 4]
    for event_id in ids[1:4]:
        assert await runs.claim() == [[event_id]], "what may have been sent comes alone"
        assert runs.members[0].n == 2
        assert await runs.settle((0, Status.SUCCEEDED)) == 1
    assert await runs.claim() == [ids[4:]]
    await runs.assert_well()


async def test_who_comes_back_after_a_lost_reply_keeps_what_it_works_on(runs: Runs) -> None:
    ids = await runs.emit(5)
    await runs.claim()
    store, generation = runs.desk.store, runs.desk.generation
    held = [one.claim_id for one in runs.members]
    assert await store.own(HOME, generation, "w1", held, generation + 1)
    runs.desk.worker.generations[HOME] = generation + 1
    assert await runs.lane() == [1, 1]
    assert await store.own(HOME, generation + 1, "w1", [], generation + 2)
    runs.desk.worker.generations[HOME] = generation + 2
    assert await runs.lane() == [0, 4]
    await runs.assert_well()
    assert await runs.claim() == [ids[:4]], "what it did not learn of comes as it was"
    assert await store.rest(HOME, runs.desk.generation)
    assert await runs.lane() == [0, 4]
    await runs.assert_well()


async def test_a_lane_that_something_is_the_matter_with_has_no_runs(runs: Runs) -> None:
    ids = await runs.emit(3)
    for field in ("rate", "circuit", "opened", "slow", "failing", "crowded"):
        await runs.desk.worker.settle(HOME, [], [LaneSetting(LANE, field, 1000)])
        assert await runs.claim() == [ids[:1]], field
        assert await runs.settle((0, Move.RELEASE)) == 1
        await runs.desk.worker.settle(HOME, [], [LaneSetting(LANE, field, None)])
    await runs.desk.queue.suspend_url(LANE, URL)
    assert await runs.claim() == [ids[:1]]
    assert await runs.settle((0, Move.RELEASE)) == 1
    await runs.desk.queue.resume(LANE)
    assert await runs.claim() == [ids[:1]], "nobody has heard from the host since it was enabled"
    assert await runs.settle((0, Move.RELEASE)) == 1
    await runs.desk.queue.url_answered(LANE, URL)
    assert await runs.claim() == [ids]


async def test_only_first_tries_are_of_a_run(runs: Runs) -> None:
    ids = await runs.emit(4)
    await runs.claim(1)
    assert await runs.settle((0, Status.RETRYING)) == 1
    assert await runs.claim() == [ids[:1]], "a second try comes alone"
    assert await runs.settle((0, Status.DEAD)) == 1
    await runs.desk.queue.redeliver(ids[0], None)
    assert await runs.claim() == [ids[1:]], "one that was tried before ends a run"
    await runs.assert_well()


async def test_a_run_is_of_one_installation_and_steps_are_of_none(runs: Runs) -> None:
    of_account, installed = await runs.emit(2), await runs.emit(2, subscription_id=INSTALLED)
    assert await runs.claim() == [of_account]
    assert await runs.settle((0, Status.SUCCEEDED), (1, Status.SUCCEEDED)) == 2
    assert await runs.claim() == [installed]
    steps = await runs.emit(2, "S", kind=EventType.INSTALL_STEP, subscription_id=INSTALLED)
    assert await runs.claim() == [steps[:1]]


async def test_the_events_of_a_run_fit_into_256_kb_and_into_what_a_claim_may_bring(runs: Runs) -> None:
    ids = await runs.emit(4, payload={"x": "y" * 100_000})
    assert await runs.claim() == [ids[:2]]
    assert await runs.settle((0, Status.SUCCEEDED), (1, Move.RELEASE)) == 2
    call = runs.desk.store.claim_call(HOME, runs.desk.generation, 10, 150_000)
    claim = read_claim((await runs.desk.store.round_trip([call]))[0])
    assert claim is not None
    assert [one.event.id for one in claim.events] == ids[1:2]
    assert claim.followers == {}
    await runs.assert_well()


async def _spoil(redis: Redis, event_id: str) -> None:
    """Of a type that only a newer version knows."""
    key = f"{{p{HOME}}}:e:{event_id}"
    document = await redis.hget(key, "doc")  # type: ignore[misc]
    await redis.hset(key, "doc", document.replace(b"SUBSCRIPTION_CHANGE", b"SUBSCRIPTION_WONDER"))  # type: ignore[misc]


async def test_nothing_follows_an_event_that_cannot_be_read(redis: Redis, runs: Runs) -> None:
    ids = await runs.emit(4)
    await _spoil(redis, ids[2])
    claim = await runs.desk.claim()
    (followers,) = claim.followers.values()
    assert ([one.event.id for one in followers.events], [one.event.id for one in followers.unread]) == (
        ids[1:2],
        ids[2:],
    )
    done = [Settlement(claim.events[0], Status.SUCCEEDED), Settlement(followers.events[0], Status.SUCCEEDED)]
    left = [Settlement(one, Move.RELEASE) for one in followers.unread]
    assert await runs.desk.worker.settle(HOME, [*done, *left]) == 4
    assert await runs.lane() == [0, 1]
    await runs.assert_well()


async def test_a_run_whose_head_cannot_be_read_goes_back(redis: Redis, runs: Runs) -> None:
    ids, others = await runs.emit(3), await runs.emit(3, "B")
    await _spoil(redis, ids[0])
    claim = await runs.desk.claim()
    assert [[one.event.id for one in _run_of(claim, head)] for head in claim.events] == [others]
    assert [one.event_id for one in claim.unreadable] == ids
    assert await runs.desk.worker.settle(HOME, claim.unreadable) == 3
    assert await runs.lane() == [1, 2]
    await runs.assert_well()


async def test_what_there_is_no_room_for_goes_back_with_the_end_of_its_run(runs: Runs) -> None:
    ids = await runs.emit(3, payload={"x": "y" * 1000})
    reply = (await runs.desk.store.round_trip([runs.desk.store.claim_call(HOME, runs.desk.generation, 10)]))[0]
    claim = read_claim(reply, 2500)
    assert claim is not None
    (followers,) = claim.followers.values()
    assert [one.event.id for one in (*claim.events, *followers.events)] == ids[:2]
    assert [one.event.id for one in followers.unread] == ids[2:]
    none = read_claim(reply, 10)
    assert none is not None
    assert [one.event.id for one in none.too_large] + [one.event_id for one in none.unreadable] == ids


async def test_mending_puts_a_lost_event_behind_what_is_under_way(redis: Redis, runs: Runs) -> None:
    """Its place in the list is gone: those that are in flight keep theirs, whatever came first."""
    ids = await runs.emit(6)
    await redis.lrem(f"{{p{HOME}}}:k:{LANE}:A", 1, ids[0])  # type: ignore[misc]
    await redis.zrem(f"{{p{HOME}}}:d:{LANE}", ids[0])
    await redis.zadd(f"{{p{HOME}}}:d:{LANE}", {ids[1]: 1})
    assert await runs.claim() == [ids[1:5]]
    assert (await runs.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 1
    listed = await redis.lrange(f"{{p{HOME}}}:k:{LANE}:A", 0, -1)  # type: ignore[misc]
    assert [one.decode() for one in listed] == [*ids[1:5], ids[0], ids[5]]


async def test_an_audit_names_what_is_in_flight_before_its_turn(redis: Redis, runs: Runs) -> None:
    ids = await runs.emit(3)
    await redis.hset(f"{{p{HOME}}}:flight", ids[1], "1.")  # type: ignore[misc]
    report = await runs.desk.store.recount()
    assert not report.well
    assert "overtook" in str(report)


async def test_what_explains_an_event_names_the_one_that_it_follows(runs: Runs) -> None:
    ids = await runs.emit(2)
    await runs.claim()
    head, follower = [await runs.desk.queue.explain(one) for one in ids]
    assert head is not None
    assert follower is not None
    assert (head.blocked_by, follower.blocked_by) == (None, ids[0])
    assert sentence(head) == SENTENCES[Reason.IN_FLIGHT]
    assert f"once the host has taken an earlier event of the same account. That event is {ids[0]}." in sentence(
        follower
    )

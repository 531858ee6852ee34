"""Runs that something goes wrong with: a lost worker or reply, events that cannot be read, places that are lost."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Move, Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.store.desk import HOME, LANE
from tests.store.runs import Runs, run_of


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
    assert [[one.event.id for one in run_of(claim, head)] for head in claim.events] == [others]
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

"""Runs: events of an account that one claim hands out, in the order of its list, of which the head alone is due."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.flow.events.reading.explain import SENTENCES, sentence
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import LaneSetting, Move
from dispatcher.store.queue.owning.codec import read_claim
from tests.store.desk import HOME, LANE, Desk
from tests.store.runs import URL, Runs

INSTALLED = "0b0e2a6c-2f1e-4f0e-9a53-3d1f6f0a7c11"


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

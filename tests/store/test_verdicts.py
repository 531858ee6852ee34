"""The verdict in the store: one process judges at a time, all read the same, also while Redis is full."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from dispatcher.model.verdict import Acknowledgement, Problem, ProblemKind, Severity, Tally, Verdict, tallied
from dispatcher.policy.verdict.fleet import store_is_away
from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.health.doctor.verdict_check import STALE_MS, examine_verdict
from dispatcher.store.health.verdicts import EMITS_COUNT_MS, VerdictStore
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.server_time import server_now_ms

AT = 1_795_996_800_000
PROBLEM = Problem(store_is_away(AT, AT), AT, (AT,), Acknowledgement("ada", AT))
SAID = Verdict(AT, "Redis takes no writes.", (PROBLEM,), 3, (PROBLEM,), (), tallied([PROBLEM]))


@pytest.fixture
def verdicts(redis: Redis) -> VerdictStore:
    return VerdictStore(redis)


async def test_one_process_has_the_turn_until_it_gives_it_up(verdicts: VerdictStore) -> None:
    assert await verdicts.take_turn("a")
    assert await verdicts.take_turn("a")
    assert not await verdicts.take_turn("b")
    await verdicts.give_turn_up("b")
    assert not await verdicts.take_turn("b")
    await verdicts.give_turn_up("a")
    assert await verdicts.take_turn("b")


async def test_the_turn_of_a_process_that_is_lost_goes_to_the_next(verdicts: VerdictStore, redis: Redis) -> None:
    assert await verdicts.take_turn("a")
    await redis.hset(keys.VERDICT, "until", "1")  # type: ignore[misc]
    assert await verdicts.take_turn("b")
    assert not await verdicts.take_turn("a")


async def test_what_was_said_is_read_as_it_was_written(verdicts: VerdictStore) -> None:
    assert await verdicts.read() is None
    await verdicts.write(SAID, "a")
    assert await verdicts.read() == SAID
    assert SAID.counts == (Tally(ProblemKind.STORE_AWAY, Severity.INFO, 1),)


async def test_only_whose_turn_it_is_writes_unless_somebody_waits_for_it(verdicts: VerdictStore) -> None:
    await verdicts.write(SAID, "a")
    await verdicts.write(replace(SAID, text="of another"), "b")
    assert await verdicts.read() == SAID
    await verdicts.write(replace(SAID, text="of another"), "b", out_of_turn=True)
    assert await verdicts.read() == replace(SAID, text="of another")
    assert not await verdicts.take_turn("b")


async def test_an_older_verdict_never_takes_the_place_of_a_later_one(verdicts: VerdictStore) -> None:
    await verdicts.write(SAID, "a")
    await verdicts.write(replace(SAID, at_ms=AT - 1, text="late"), "a")
    assert await verdicts.read() == SAID
    await verdicts.write(replace(SAID, at_ms=AT - 3_600_000, text="the clock of Redis was put back"), "a")
    assert await verdicts.read() != SAID


async def test_a_verdict_of_another_version_is_none(verdicts: VerdictStore, redis: Redis) -> None:
    await redis.hset(keys.VERDICT, "said", '{"at_ms":1}')  # type: ignore[misc]
    assert await verdicts.read() is None


async def test_it_is_written_although_redis_is_full(verdicts: VerdictStore, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        assert await verdicts.take_turn("a")
        await verdicts.write(SAID, "a")
        await verdicts.say_emits("a", 5, 1, AT)
        assert await verdicts.read() == SAID
    finally:
        await redis.config_set("maxmemory", "0")


async def test_who_knows_of_a_problem_is_kept_until_it_has_ended(verdicts: VerdictStore) -> None:
    await verdicts.acknowledge("clock", Acknowledgement("ada", AT))
    assert await verdicts.known() == {"clock": Acknowledgement("ada", AT)}
    await verdicts.forget(["clock", "overdue"])
    assert await verdicts.known() == {}


async def test_emits_of_all_processes_are_added_and_those_of_lost_ones_forgotten(
    verdicts: VerdictStore, redis: Redis
) -> None:
    await verdicts.say_emits("a", 100, 4, AT)
    await verdicts.say_emits("b", 50, 1, AT)
    await verdicts.say_emits("lost", 9, 9, AT - EMITS_COUNT_MS - 1)
    assert await verdicts.emits(AT) == (150, 5)
    assert sorted(await redis.hkeys(keys.EMITS)) == [b"a", b"b"]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.PAGE, Level.FAIL), (Severity.ACT, Level.WARN), (Severity.INFO, Level.OK)]
)
async def test_the_doctor_says_what_the_verdict_says(
    verdicts: VerdictStore, redis: Redis, severity: Severity, level: Level
) -> None:
    finding = replace(PROBLEM.finding, severity=severity)
    said = replace(SAID, at_ms=await server_now_ms(redis), problems=(Problem(finding, AT),))
    await verdicts.write(said, "a")
    check = await examine_verdict(redis)
    assert check.level is level
    assert check.text.startswith(SAID.text)


async def test_the_doctor_says_that_nobody_judges(verdicts: VerdictStore, redis: Redis) -> None:
    assert (await examine_verdict(redis)).level is Level.OK
    await verdicts.write(replace(SAID, at_ms=await server_now_ms(redis) - STALE_MS - 1000), "a")
    check = await examine_verdict(redis)
    assert check.level is Level.WARN
    assert "no API process judges" in check.text

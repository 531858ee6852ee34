"""The worker's samples: every count once, whoever owns a partition, also after an owner was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.model.attempt import Outcome
from dispatcher.model.status import Status
from dispatcher.policy.figures.history import FLEET, LANE, rolled_up, total, window
from dispatcher.policy.figures.tallies import Tallies
from dispatcher.policy.figures.tally import Figures, count, observed
from dispatcher.store.history.exemplars import ExemplarStore
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory
from dispatcher.store.history.sampled import SampledCounters
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from tests.hosts import ProductHost
from tests.waiting import until
from tests.worker.conftest import Shop
from worker.sampling import IDLE_AT_ONCE, LANES_AT_ONCE, TRIM_EVERY_MS, Sampler, Sampling

START_MS = 1_800_000_000_000
PLENTY = 1_000_000


class Scene:
    """Samplers over one store, at a time that the test moves."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.now_ms = START_MS
        self.tallies = Tallies()
        self.fleet, self.lanes = FleetHistory(redis), LaneHistory(redis)

    def sampler(self, *owned: int, lanes_bytes: int = PLENTY) -> Sampler:
        history = Sampling(SampledCounters(self.redis), self.fleet, self.lanes, ExemplarStore(self.redis))
        return Sampler(history, self.tallies, lambda: self.now_ms, lambda: owned, lanes_bytes)

    async def accept(self, partition: int, n: int) -> None:
        await self.redis.hincrby(queue_keys.counters(partition), "accepted", n)  # type: ignore[misc]

    async def accepted(self, *, from_ms: int = START_MS) -> int:
        seen = window(FLEET, self.now_ms, from_ms, None, 1)
        return count(total(rolled_up(await self.fleet.read(seen), seen)), "accepted")

    def attempt(self, lane: str, partition: int = 0) -> None:
        self.tallies.note((partition, lane), Outcome.OK, Status.SUCCEEDED, 0.012, 0.04)

    async def lane(self, lane: str, place: int, partition: int = 0) -> Figures:
        seen = window(LANE[place:], self.now_ms, START_MS, None, LANE[place].seconds)
        return total(rolled_up((await self.lanes.read([(partition, lane)], seen))[partition, lane], seen))


@pytest.fixture
def scene(redis: Redis) -> Scene:
    return Scene(redis)


@pytest.fixture
async def full(redis: Redis) -> AsyncIterator[Redis]:
    await redis.config_set("maxmemory", 1_000)
    yield redis
    await redis.config_set("maxmemory", 0)


async def test_counts_go_into_the_second_in_which_they_grew(scene: Scene) -> None:
    sampler = scene.sampler(0, 1)
    for n in (3, 0, 4):
        await scene.accept(0, n)
        await scene.accept(1, n)
        await sampler.once()
        scene.now_ms += 1000
    seen = window(FLEET, scene.now_ms, START_MS, START_MS + 2999, 1)
    steps = rolled_up(await scene.fleet.read(seen), seen)
    assert [count(figures, "accepted") for figures in steps] == [6, 0, 8]


async def test_nothing_is_written_while_nothing_grows(scene: Scene) -> None:
    sampler = scene.sampler(0)
    await scene.accept(0, 1)
    await sampler.once()
    changes = (await scene.redis.info("persistence"))["rdb_changes_since_last_save"]
    scene.now_ms += 1000
    await sampler.once()
    assert (await scene.redis.info("persistence"))["rdb_changes_since_last_save"] == changes
    assert await scene.redis.hlen(deployment_keys.fleet_history("seconds")) == 1  # type: ignore[misc]


async def test_of_very_many_partitions_busy_ones_are_read_each_time_and_idle_ones_in_turn(scene: Scene) -> None:
    many = 2 * IDLE_AT_ONCE + 10
    sampler = scene.sampler(*range(many))
    await scene.accept(many - 1, 1)
    scene.attempt("L", many - 1)
    await sampler.once()
    assert await scene.accepted() == 1
    await scene.accept(many - 1, 1)  # no attempt yet, but it was busy
    await scene.accept(many - 20, 1)
    await sampler.once()
    assert await scene.accepted() >= 2
    await sampler.once()
    await sampler.once()
    assert await scene.accepted() == 3


async def test_a_new_owner_goes_on_where_the_last_sample_ended(scene: Scene) -> None:
    await scene.accept(0, 3)
    await scene.sampler(0).once()
    await scene.accept(0, 5)  # then its owner is killed
    scene.now_ms += 6000
    await scene.sampler(0).once()
    assert await scene.accepted() == 8


async def test_a_partition_that_comes_back_is_not_counted_twice(scene: Scene) -> None:
    owned = [0]
    history = Sampling(SampledCounters(scene.redis), scene.fleet, scene.lanes, ExemplarStore(scene.redis))
    first = Sampler(history, scene.tallies, lambda: scene.now_ms, lambda: owned, PLENTY)
    await scene.accept(0, 3)
    await first.once()
    owned.clear()
    await first.once()
    await scene.accept(0, 2)
    await scene.sampler(0).once()
    owned.append(0)
    await first.once()
    assert await scene.accepted() == 5


async def test_what_a_full_store_refused_comes_with_the_next_sample(scene: Scene, full: Redis) -> None:
    sampler = scene.sampler(0)
    await full.config_set("maxmemory", 0)
    await scene.accept(0, 3)
    scene.attempt("L")
    await full.config_set("maxmemory", 1_000)
    await sampler.once()
    assert await scene.accepted() == 0
    await full.config_set("maxmemory", 0)
    await sampler.once()
    await sampler.once()
    assert await scene.accepted() == 3
    assert count(await scene.lane("L", 0), "attempts") == 1


async def test_an_integration_has_its_minutes_hours_and_days(scene: Scene) -> None:
    sampler = scene.sampler(0)
    for _ in range(3):
        scene.attempt("L")
        await sampler.once()
        scene.now_ms += 60_000
    for place in range(3):
        figures = await scene.lane("L", place)
        counted = {name: count(figures, name) for name in ("attempts", "delivered", "failures")}
        assert counted == {"attempts": 3, "delivered": 3, "failures": 0}
        assert observed(figures, "latency") == observed(figures, "attemptTime") == 3


async def test_another_worker_goes_on_with_an_integrations_spans(scene: Scene) -> None:
    for _ in range(3):
        scene.attempt("L")
        await scene.sampler(0).once()
    assert count(await scene.lane("L", 0), "attempts") == 3
    assert count(await scene.lane("L", 2), "attempts") == 3


async def test_one_sample_writes_so_many_integrations_and_the_next_the_others(scene: Scene) -> None:
    sampler = scene.sampler(0)
    for n in range(LANES_AT_ONCE + 3):
        scene.attempt(f"lane-{n}")
    await sampler.once()
    assert await scene.redis.zcard(queue_keys.charted(0)) == LANES_AT_ONCE
    await sampler.once()
    assert await scene.redis.zcard(queue_keys.charted(0)) == LANES_AT_ONCE + 3


async def test_without_room_for_them_integrations_have_no_charts(scene: Scene) -> None:
    sampler = scene.sampler(0, lanes_bytes=0)
    scene.attempt("L")
    await sampler.once()
    assert [key async for key in scene.redis.scan_iter("*hist*")] == []


async def test_charts_are_trimmed_each_minute(scene: Scene) -> None:
    sampler = scene.sampler(0, lanes_bytes=200)
    for n in range(5):
        scene.attempt(f"lane-{n}")
    await sampler.once()
    before = len([key async for key in scene.redis.scan_iter("*hist*")])
    scene.now_ms += TRIM_EVERY_MS
    await sampler.once()
    after = len([key async for key in scene.redis.scan_iter("*hist*")])
    assert (before, after) == (15, 3)


async def test_a_worker_keeps_the_history_of_what_it_delivers(shop: Shop, product_host: ProductHost) -> None:
    integration = await shop.integration()
    await shop.work()
    for sampled in ("00", "01"):
        await shop.ended(await shop.emit(integration, account=None, trace=f"00-{sampled * 16}-{sampled * 8}-{sampled}"))
    ids = [await shop.emit(integration, account=None) for _ in range(1)]
    for event_id in ids:
        await shop.ended(event_id)
    fleet, lanes = FleetHistory(shop.redis), LaneHistory(shop.redis)
    lane = (shop.queue.partition_of(integration.id), integration.id)

    async def all_there() -> bool:
        now_ms = int((await shop.redis.time())[0]) * 1000
        asked = window(FLEET, now_ms, now_ms - 120_000, now_ms, 60)
        whole = total(rolled_up(await fleet.read(asked), asked))
        mine = window(LANE, now_ms, now_ms - 120_000, now_ms, 60)
        its = total(rolled_up((await lanes.read([lane], mine))[lane], mine))
        known = [count(whole, name) for name in ("accepted", "delivered", "attempts", "failures")]
        return known == [3, 3, 3, 0] and count(its, "delivered") == 3 and observed(its, "latency") == 3

    assert await until(all_there)

    async def exemplars() -> set[str]:
        now_ms = int((await shop.redis.time())[0]) * 1000
        return {exemplar.trace_id for exemplar in (await ExemplarStore(shop.redis).read(now_ms)).values()}

    assert await until(exemplars) == {"01" * 16}

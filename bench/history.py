"""History on disk: what events cost once they are archived, and how long it takes to read them.

``python -m bench.history --events 200000 --accounts 20000`` prints a table. Every event is accepted, claimed and
settled by the store's own scripts, without deliveries; ids are spread over 30 days.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

import uvloop

from bench.rig.deployment import PARTITIONS, Deployment, deployment
from bench.rig.traffic import BATCH, events
from dispatcher.clock import DAY_MS, system_clock
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.auditing import recount_archive
from dispatcher.store.archive.files import FileStorage
from dispatcher.store.archive.writing import ArchiveWriter
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import PartitionStore

INTEGRATIONS = 100
RETENTION_MS = 30 * DAY_MS
LOOKUPS = 500
PAGES = 20


def soon_ms() -> int:
    return system_clock.now_ms() + 60_000


def spread(queue: QueueStore, count: int, accounts: int) -> Iterator[Event]:
    begun_ms, chance = system_clock.now_ms() - RETENTION_MS, random.Random(7)
    for number, event in enumerate(events(queue, count, INTEGRATIONS, accounts)):
        made_ms = begun_ms + number * RETENTION_MS // count
        own = {"order": new_uuid(), "user": chance.getrandbits(48), "price": chance.random(), "email": new_uuid()[:13]}
        content = {**(event.payload or {}), "own": own}
        yield event._replace(id=new_event_id(made_ms, int(event.id[-3:], 16)), payload=content)


class Hand:
    """A worker that settles as fast as it is told."""

    def __init__(self, made: Deployment) -> None:
        self.store = PartitionStore(
            made.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, lease_ms=3_600_000, lane_cap=10_000
        )
        self.generations: dict[int, int] = {}

    async def own_all(self) -> None:
        for partition in range(PARTITIONS):
            self.generations[partition] = await self.store.grant(partition, 5000)
            assert await self.store.own(partition, self.generations[partition], "bench")

    async def settle_all(self) -> None:
        for partition, generation in self.generations.items():
            while await self._settled(partition, generation):
                pass

    async def _settled(self, partition: int, generation: int) -> int:
        (reply,) = await self.store.round_trip([self.store.claim_call(partition, generation, BATCH)])
        claim = read_claim(reply)
        assert claim is not None
        settlements = [
            Settlement(
                one,
                Status.SUCCEEDED,
                0,
                Attempt(
                    one.n, claim.now_ms, 12.5, "https://host.example/hooks/marketplace", Outcome.OK, 200, worker="w-1"
                ),
            )
            for one in claim.events
        ]
        if settlements:
            await self.store.round_trip([self.store.settle_call(partition, generation, settlements)])
        return len(settlements)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    begun_s = time.perf_counter()
    await work()
    return time.perf_counter() - begun_s


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2] * 1000:.1f} ms, p95 {ordered[int(len(ordered) * 0.95)] * 1000:.1f} ms"


async def used_bytes(made: Deployment) -> int:
    return int((await made.redis.info("memory"))["used_memory"])


async def redis_cpu_s(made: Deployment) -> float:
    """Of its main thread."""
    found = await made.redis.info("cpu")
    return float(found["used_cpu_user_main_thread"]) + float(found["used_cpu_sys_main_thread"])


async def measure(count: int, accounts: int) -> None:
    async with deployment() as made:
        hand = Hand(made)
        await hand.own_all()
        empty = await used_bytes(made)
        await run(made, hand, count, accounts, empty)


async def run(made: Deployment, hand: Hand, count: int, accounts: int, empty: int) -> None:
    ids, batch = list[str](), list[Event]()
    for event in spread(made.queue, count, accounts):
        batch.append(event)
        if len(batch) == BATCH:
            await made.queue.accept(batch)
            await hand.settle_all()
            ids += [one.id for one in batch]
            batch = []
    before = await used_bytes(made)
    print(f"Redis with {len(ids):,} events: {(before - empty) / len(ids):,.0f} bytes each")
    await archived(made, hand, ids, empty)


async def archived(made: Deployment, hand: Hand, ids: Sequence[str], empty: int) -> None:
    archive = Archive(made.redis, FileStorage(made.folder / "archive"), soon_ms)
    writer = ArchiveWriter(archive, partitions=PARTITIONS, after_ms=0, gather_ms=0)
    await made.redis.slowlog_reset()
    redis_s = await redis_cpu_s(made)
    begun_s, cpu_s, longest_s, moved = time.perf_counter(), time.process_time(), 0.0, 0
    for partition, generation in hand.generations.items():
        more = True
        while more:
            step_s = time.perf_counter()
            step = await writer.step(partition, generation)
            longest_s = max(longest_s, time.perf_counter() - step_s)
            moved, more = moved + step.archived, step.more
    took_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    assert moved == len(ids), (moved, len(ids))
    report = await recount_archive(made.redis, range(PARTITIONS))
    after = await used_bytes(made)
    redis_s = await redis_cpu_s(made) - redis_s
    slow = await made.redis.slowlog_get(1000)
    longest_ms = max((one["duration"] for one in slow if b"EVALSHA" in one["command"]), default=0) / 1000
    print(f"archived in {took_s:.1f} s: {moved / took_s:,.0f}/s, {cpu_s / moved * 1e6:.0f} µs of the worker each")
    print(f"of Redis {redis_s / moved * 1e6:.0f} µs each")
    print(f"longest step {longest_s * 1000:.0f} ms, longest script in the slow log {longest_ms:.1f} ms")
    print(f"disk: {report.size / moved:,.0f} bytes each in {report.segments} segments; well: {report.well}")
    print(f"Redis afterwards: {(after - empty) / 1e6:,.1f} MB, {(after - empty) / moved:,.0f} bytes each")
    await read(made, ids)


async def read(made: Deployment, ids: Sequence[str]) -> None:
    chance = random.Random(7)
    account = (await fresh(made).page(EventFilter(), None, 1)).items[0].event.account_id
    queue = fresh(made)
    for round_ in ("cold", "warm"):
        chosen = [chance.choice(ids) for _ in range(LOOKUPS)]
        print(f"lookup, {round_}: {quantiles([await timed(partial(queue.get, one)) for one in chosen])}")
    asked = {
        "newest page": EventFilter(),
        "page of an account": EventFilter(account_id=account),
        "page of a type that there is not": read_filter("type:subscription_order", 0),
        "page of a payload that there is not": read_filter("payload.x:4711", 0, of_failures=True),
    }
    for name, condition in asked.items():
        page = await queue.page(condition, None, 100)
        seconds = [await timed(partial(queue.page, condition, None, 100)) for _ in range(PAGES)]
        whole = "" if page.searched_to_ms is None else f"; ended early, {page.searched_to_ms}"
        print(f"{name}: {len(page.items)} events, {quantiles(seconds)}{whole}")
    counted_s = await timed(lambda: queue.count(EventFilter()))
    print(f"count of all: {(await queue.count(EventFilter())).matched:,} in {counted_s * 1000:.0f} ms")


def fresh(made: Deployment) -> QueueStore:
    archive = Archive(made.redis, FileStorage(made.folder / "archive"), soon_ms)
    return QueueStore(made.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, archive=archive)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=20_000)
    given = parser.parse_args()
    uvloop.run(measure(given.events, given.accounts))


if __name__ == "__main__":
    main()

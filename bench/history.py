"""History on disk: what events cost once they are archived, and how long it takes to read them.

``python -m bench.history --events 200000 --accounts 20000`` prints a table. Every event is accepted, claimed and
settled by the store's own scripts, without deliveries; ids are spread over 30 days.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.rig.deployment import PARTITIONS, Deployment, deployment
from bench.rig.traffic import BATCH, events
from dispatcher.clock import DAY_MS, system_clock
from dispatcher.errors import ArchiveUnavailable
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.bucket import Bucket
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage.places import storage_at
from dispatcher.store.archive.upkeep.auditing import check_segments, recount_archive
from dispatcher.store.archive.upkeep.writing import ArchiveWriter
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.owning.partition import PartitionStore

INTEGRATIONS = 100
RETENTION_MS = 30 * DAY_MS
LOOKUPS = 500
PAGES = 40
AT_ONCE = 200_000
"""Events that Redis has before they move."""


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


class Took(NamedTuple):
    """Seconds: by the clock, and of this process's CPU, which other work on the machine does not lengthen."""

    clock_s: float
    cpu_s: float


async def timed(work: Callable[[], Awaitable[object]]) -> Took:
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    await work()
    return Took(time.perf_counter() - begun_s, time.process_time() - cpu_s)


def quantiles(took: Sequence[Took]) -> str:
    clock, cpu = (sorted(one) for one in zip(*took, strict=True))
    at = int(len(took) * 0.95)
    return (
        f"p50 {clock[len(clock) // 2] * 1000:.1f} ms, p95 {clock[at] * 1000:.1f} ms "
        f"(CPU {cpu[len(cpu) // 2] * 1000:.1f} and {cpu[at] * 1000:.1f})"
    )


async def used_bytes(made: Deployment) -> int:
    return int((await made.redis.info("memory"))["used_memory"])


async def redis_cpu_s(made: Deployment) -> float:
    """Of its main thread."""
    found = await made.redis.info("cpu")
    return float(found["used_cpu_user_main_thread"]) + float(found["used_cpu_sys_main_thread"])


@dataclass(frozen=True, slots=True)
class Asked:
    """``minutes``: no more events after these. ``bucket``: in place of a folder."""

    events: int
    accounts: int
    minutes: float
    bucket: Bucket | None


async def measure(asked: Asked) -> None:
    async with deployment() as made:
        hand = Hand(made)
        await hand.own_all()
        empty = await used_bytes(made)
        await run(made, hand, asked, empty, asked.bucket or made.folder / "archive")


async def run(made: Deployment, hand: Hand, asked: Asked, empty: int, place: Path | Bucket) -> None:
    until_s = time.monotonic() + asked.minutes * 60
    ids, batch, bench = list[str](), list[Event](), Archiving(made, hand, empty, place)
    for event in spread(made.queue, asked.events, asked.accounts):
        batch.append(event)
        if len(batch) == BATCH:
            await made.queue.accept(batch)
            await hand.settle_all()
            ids += [one.id for one in batch]
            batch = []
            if len(ids) - bench.moved >= AT_ONCE:
                await bench.move(len(ids))
            if time.monotonic() > until_s:
                break
    await bench.move(len(ids))
    await bench.report()
    await read(made, ids, place)


class Archiving:
    """Moves what has ended, and adds up what that takes."""

    def __init__(self, made: Deployment, hand: Hand, empty: int, place: Path | Bucket) -> None:
        archive = Archive(made.redis, storage_at(place), soon_ms)
        self.writer = ArchiveWriter(archive, partitions=PARTITIONS, after_ms=0, gather_ms=0)
        self.made = made
        self.hand = hand
        self.archive = archive
        self.empty = empty
        self.moved = 0
        self.kept = 0
        self.took_s = self.cpu_s = self.redis_s = self.longest_s = 0.0

    async def move(self, accepted: int) -> None:
        """Until all that was accepted has moved."""
        if accepted == self.moved:
            return
        before = await used_bytes(self.made)
        redis_s, cpu_s, begun_s = await redis_cpu_s(self.made), time.process_time(), time.perf_counter()
        each = (before - self.empty - self.kept) / (accepted - self.moved)
        for partition, generation in self.hand.generations.items():
            await self._all_of(partition, generation)
        self.took_s += time.perf_counter() - begun_s
        self.cpu_s += time.process_time() - cpu_s
        self.redis_s += await redis_cpu_s(self.made) - redis_s
        assert self.moved == accepted, (self.moved, accepted)
        self.kept = await used_bytes(self.made) - self.empty
        print(
            f"{accepted:,} events: {each:,.0f} bytes of Redis each, {self.kept / accepted:,.0f} once moved", flush=True
        )

    async def _all_of(self, partition: int, generation: int) -> None:
        more = True
        while more:
            step_s = time.perf_counter()
            try:
                step = await self.writer.step(partition, generation)
            except ArchiveUnavailable as error:  # as a worker, which tries again later
                print(error, flush=True)
                continue
            self.longest_s = max(self.longest_s, time.perf_counter() - step_s)
            self.moved, more = self.moved + step.archived, step.more

    async def report(self) -> None:
        moved = self.moved
        begun_s = time.perf_counter()
        report = await recount_archive(self.made.redis, range(PARTITIONS))
        audit_ms = (time.perf_counter() - begun_s) * 1000
        rate, worker_us = moved / self.took_s, self.cpu_s / moved * 1e6
        print(f"moved in {self.took_s:.1f} s: {rate:,.0f}/s, {worker_us:.0f} µs of the worker each")
        print(f"of Redis {self.redis_s / moved * 1e6:.0f} µs each; longest step {self.longest_s * 1000:.0f} ms")
        print(f"disk: {report.size / moved:,.0f} bytes each in {report.segments} segments, {report.size / 1e6:,.0f} MB")
        print(f"manifests recounted in {audit_ms:.0f} ms; well: {report.well}", flush=True)
        begun_s, cpu_s = time.perf_counter(), time.process_time()
        broken = await check_segments(self.archive, range(PARTITIONS))
        took_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
        print(f"every segment read and compared (--deep) in {took_s:.1f} s, CPU {cpu_s:.1f} s; well: {not broken}")
        print(f"Redis afterwards: {self.kept / 1e6:,.1f} MB, {self.kept / moved:,.0f} bytes each", flush=True)


async def read(made: Deployment, ids: Sequence[str], place: Path | Bucket) -> None:
    chance = random.Random(7)
    account = (await fresh(made, place).page(EventFilter(), None, 1)).items[0].event.account_id
    queue = fresh(made, place)
    for round_ in ("cold", "warm"):
        chosen = [chance.choice(ids) for _ in range(LOOKUPS)]
        print(f"lookup, {round_}: {quantiles([await timed(partial(queue.get, one)) for one in chosen])}", flush=True)
    asked = {
        "newest page": EventFilter(),
        "page of an account": EventFilter(account_id=account),
        "page of a type that there is not": read_filter("type:subscription_order", 0),
        "page of a payload that there is not": read_filter("payload.x:4711", 0, of_failures=True),
    }
    for name, condition in asked.items():
        page = await queue.page(condition, None, 100)
        took = [await timed(partial(queue.page, condition, None, 100)) for _ in range(PAGES)]
        whole = "" if page.searched_to_ms is None else f"; ended early, {page.searched_to_ms}"
        print(f"{name}: {len(page.items)} events, {quantiles(took)}{whole}", flush=True)
    counted = await timed(lambda: queue.count(EventFilter()))
    print(f"count of all: {(await queue.count(EventFilter())).matched:,} in {counted.clock_s * 1000:.0f} ms")


def fresh(made: Deployment, place: Path | Bucket) -> QueueStore:
    archive = Archive(made.redis, storage_at(place), soon_ms)
    return QueueStore(made.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, archive=archive)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--bucket", help="of object storage, with AWS_ENDPOINT_URL and credentials in the environment")
    given = parser.parse_args()
    bucket = Bucket(given.bucket, "bench") if given.bucket else None
    uvloop.run(measure(Asked(given.events, given.accounts, given.minutes, bucket)))


if __name__ == "__main__":
    main()

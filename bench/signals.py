"""Cost of signals: history and verdict beside the same programs without them, in CPU, memory and time of scripts.

``python -m bench.signals --rounds 7 --events 12000`` prints it. Two deployments take turns; the one that does not run
is held still.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from bench.history import Hand, used_bytes
from bench.rig.deployment import FIRST_EVENTS, PARTITIONS, Deployment, deployment
from bench.rig.drain import Drain, watch
from bench.rig.traffic import define, fill, integration_id
from dispatcher.cli.bench.children import Child, program
from dispatcher.cli.bench.sink_client import Sink, sink_process
from dispatcher.ids import new_event_id
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.policy.figures.history import LANE
from dispatcher.policy.figures.tally import count_attempt, no_figures
from dispatcher.store.history.lanes import LaneHistory, Slot
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.codec import read_claim
from dispatcher.store.queue.watching.troubles import Troubles

INTEGRATIONS = 100
TROUBLED = 10_000
CHARTED = 200
BATCH = 500
HISTORY_BYTES = 64 * 1024 * 1024
LOGGED_FROM_US = 50
"""Some servers log the commands within a script as well, each of which takes less."""
WITH, WITHOUT = "dispatcher.cli.main", "bench.peers.without_signals"


async def costs(sink: Sink, rounds: int, events: int) -> None:
    """Deliveries and CPU of both, in turn."""
    async with AsyncExitStack() as stack:
        both = [await _running(stack, sink, module) for module in (WITH, WITHOUT)]
        drains: list[list[Drain]] = [[], []]
        for turn in range(rounds):
            for n in (0, 1) if turn % 2 else (1, 0):
                drains[n].append(await _drained(sink, *both[n], events))
    ratios = [a.rate_per_s / b.rate_per_s for a, b in zip(*drains, strict=True)]
    _say("deliveries/s with, without", *([one.rate_per_s for one in some] for some in drains))
    print(f"deliveries/s with beside without: {statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f})")
    for name in drains[0][0].cpu_us:
        _say(f"{name} CPU us an event with, without", *([one.cpu_us[name] for one in some] for some in drains))
    total = [[sum(one.cpu_us.values()) for one in some] for some in drains]
    _say("all CPU us an event with, without", *total)
    parts = [a / b for a, b in zip(*total, strict=True)]
    print(f"all CPU with beside without: {statistics.median(parts):.3f} ({min(parts):.2f} to {max(parts):.2f})")


def _say(what: str, *figures: Sequence[float]) -> None:
    print(f"{what}: {', '.join(f'{statistics.median(some):,.0f}' for some in figures)}", flush=True)


async def _running(stack: AsyncExitStack, sink: Sink, module: str) -> tuple[Deployment, Child]:
    """With an API that judges and a worker that samples, both held still."""
    made = await stack.enter_async_context(deployment())
    await define(made.redis, made.sealer, INTEGRATIONS, sink.url)
    await fill(made.queue, FIRST_EVENTS, INTEGRATIONS)
    api = await stack.enter_async_context(program(made.folder, [module, "serve"], made.settings))
    await api.said(r'"event":"listening","address":"([^"]+)"')
    worker = await stack.enter_async_context(program(made.folder, [module, "worker", "--supervised"], made.settings))
    await worker.said("(worker started)")
    await made.until_settled(FIRST_EVENTS)
    for child in (worker, api):
        child.hold()
    return replace(made, worker=worker), api


async def _drained(sink: Sink, made: Deployment, api: Child, events: int) -> Drain:
    assert made.worker is not None
    before = await made.delivered()
    await fill(made.queue, events, INTEGRATIONS)
    await sink.reset()
    for child in (api, made.worker):
        child.go_on()
    drained = await watch(sink, events, made.pids | {"api": api.pid})
    await made.until_settled(before + events)
    for child in (made.worker, api):
        child.hold()
    return drained


async def memory() -> None:
    """Redis bytes of integrations whose rings are full, and how many fit into the setting."""
    async with deployment() as made:
        history, before = LaneHistory(made.redis), await used_bytes(made)
        now_ms = int(time.time() * 1000)
        for number in range(CHARTED):
            await history.write(_full(made, number, now_ms))
        each = (await used_bytes(made) - before) / CHARTED
    fit = HISTORY_BYTES / each
    print(f"Redis bytes of an integration with full rings: {each:,.0f}; {fit:,.0f} of them are 64 MB", flush=True)


def _full(made: Deployment, number: int, now_ms: int) -> list[Slot]:
    lane = (made.queue.partition_of(integration_id(number)), integration_id(number))
    figures = no_figures()
    for n in range(1000):
        count_attempt(figures, Outcome.OK, 0.01 * (n % 97), 0.02 * (n % 89))
    spans = [(one, one.span_at(now_ms)) for one in LANE]
    return [Slot(lane, one, last - back, figures, True) for one, last in spans for back in range(one.slots)]


async def scripts() -> None:
    """Time of the verdict's scripts in Redis with very many troubled integrations in one partition."""
    async with deployment() as made:
        hand = Hand(made)
        await hand.own_all()
        await _trouble(made, hand)
        troubles = Troubles(made.redis, PARTITIONS)
        await made.redis.config_resetstat()
        await made.redis.config_set("slowlog-log-slower-than", LOGGED_FROM_US)
        await made.redis.config_set("slowlog-max-len", 10_000)
        await made.redis.slowlog_reset()
        looked, seen = 0, 0
        for _ in range(3):
            await troubles.pulses()
            async for _ in troubles.lanes([0]):
                looked += 1
            seen += 1
        log = [one["duration"] for one in await made.redis.slowlog_get(10_000) if one["command"].startswith(b"EVALSHA")]
        times = sorted(log)
        print(
            f"{TROUBLED:,} troubled lanes, {looked // seen:,} looked at: {len(times)} scripts, "
            f"p50 {times[len(times) // 2] / 1000:.2f} ms, p99 {times[int(len(times) * 0.99)] / 1000:.2f} ms, "
            f"longest {times[-1] / 1000:.2f} ms",
            flush=True,
        )


async def _trouble(made: Deployment, hand: Hand) -> None:
    for at in range(0, TROUBLED, BATCH):
        await made.queue.accept([_event(number) for number in range(at, at + BATCH)])
        (reply,) = await hand.store.round_trip([hand.store.claim_call(0, hand.generations[0], BATCH)])
        claim = read_claim(reply)
        assert claim is not None
        failed = [
            Settlement(
                one,
                Status.RETRYING,
                3_600_000,
                Attempt(one.n, claim.now_ms, 12.5, "https://host.example/hooks", Outcome.HTTP_ERROR, 503),
                "HTTP_ERROR",
                "HTTP 503",
            )
            for one in claim.events
        ]
        await hand.store.round_trip([hand.store.settle_call(0, hand.generations[0], failed)])


def _event(number: int) -> Event:
    now_ms, lane = int(time.time() * 1000), integration_id(number)
    return Event(new_event_id(now_ms, 0), EventType.SUBSCRIPTION_CHANGE, lane, 1, "product", f"account-{number}")


async def main(rounds: int, events: int) -> None:
    await scripts()
    await memory()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        async with sink_process(Path(name)) as sink:
            await costs(sink, rounds, events)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.signals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=12_000)
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.events))

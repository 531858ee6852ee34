"""Cost of signals: history and verdict beside the same programs without them, in CPU, memory and time of scripts.

``python -m bench.signals --rounds 7 --events 12000`` prints it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from bench.history import Hand, used_bytes
from bench.rig.deployment import PARTITIONS, Deployment, deployment
from bench.rig.in_turn import asked, compare, own_sink, running
from bench.rig.traffic import integration_id
from dispatcher.cli.bench.sink_client import Sink
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

TROUBLED = 10_000
CHARTED = 200
BATCH = 500
HISTORY_BYTES = 64 * 1024 * 1024
LOGGED_FROM_US = 50
"""Some servers log the commands within a script as well, each of which takes less."""
WITH, WITHOUT = "dispatcher.cli.main", "bench.peers.without_signals"


async def costs(sink: Sink, rounds: int, events: int) -> None:
    """Deliveries and CPU of both, in turn: an API that judges and a worker that samples, and both without."""
    async with AsyncExitStack() as stack:
        with_, without = [
            await running(stack, sink, await stack.enter_async_context(deployment()), module, api=True)
            for module in (WITH, WITHOUT)
        ]
        await compare(sink, with_, without, rounds, events)


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
    async with own_sink() as sink:
        await costs(sink, rounds, events)


if __name__ == "__main__":
    given = asked("bench.signals", __doc__, rounds=7)
    asyncio.run(main(given.rounds, given.events))

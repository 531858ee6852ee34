"""Cost of moving history beside full load: a worker that archives, beside one that has nothing to move to.

``python -m bench.archiving --rounds 9 --events 12000`` prints it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bench.history import Hand, spread
from bench.rig.deployment import PARTITIONS, Deployment, deployment
from bench.rig.in_turn import compare, running
from bench.rig.traffic import BATCH
from dispatcher.cli.bench.sink_client import Sink, sink_process
from dispatcher.store.archive.upkeep.auditing import recount_archive

ACCOUNTS = 10_000
OLD_EACH = 8_000
"""Events that ended long ago, for each round: a worker moves a thousand in a second, more before the first one."""


async def costs(sink: Sink, rounds: int, events: int) -> None:
    async with AsyncExitStack() as stack:
        moving, keeping = [await stack.enter_async_context(deployment()) for _ in range(2)]
        archive = {"DISPATCHER_ARCHIVE_DIR": str(moving.folder / "archive"), "DISPATCHER_ARCHIVE_AFTER_DAYS": "1"}
        moving = replace(moving, settings=moving.settings | archive)
        for made in (moving, keeping):
            await _past(made, rounds * OLD_EACH)
        with_, without = [await running(stack, sink, made) for made in (moving, keeping)]
        before = (await recount_archive(moving.redis, range(PARTITIONS))).events
        await compare(sink, with_, without, rounds, events)
        moved = (await recount_archive(moving.redis, range(PARTITIONS))).events - before
        print(f"moved meanwhile: {moved:,} events beside {rounds * events:,} that were delivered")


async def _past(made: Deployment, count: int) -> None:
    """Events of the last 30 days that have ended."""
    hand = Hand(made)
    await hand.own_all()
    events = spread(made.queue, count, ACCOUNTS)
    while batch := list(islice(events, BATCH)):
        await made.queue.accept(batch)
        await hand.settle_all()
    await hand.leave_all()


async def main(rounds: int, events: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        async with sink_process(Path(name)) as sink:
            await costs(sink, rounds, events)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.archiving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=12_000)
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.events))

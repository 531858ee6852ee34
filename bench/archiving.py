"""Cost of moving history beside full load: a worker that archives, beside one that has nothing to move to.

``python -m bench.archiving --rounds 9 --events 12000`` prints it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from bench.rig.deployment import PARTITIONS, deployment
from bench.rig.in_turn import asked, compare, own_sink, running
from dispatcher.cli.bench.sink_client import Sink
from dispatcher.store.archive.upkeep.auditing import recount_archive

AT_ONCE, KEPT = "bench.peers.archives_at_once", "dispatcher.cli.main"


async def costs(sink: Sink, rounds: int, events: int) -> None:
    """From the second round on there is always something to move: what was delivered in those before."""
    async with AsyncExitStack() as stack:
        moving, keeping = [await stack.enter_async_context(deployment()) for _ in range(2)]
        moving = replace(moving, settings=moving.settings | {"DISPATCHER_ARCHIVE_DIR": str(moving.folder / "archive")})
        with_, without = [
            await running(stack, sink, made, module) for made, module in ((moving, AT_ONCE), (keeping, KEPT))
        ]
        await compare(sink, with_, without, rounds, events)
        moved = (await recount_archive(moving.redis, range(PARTITIONS))).events
        print(f"moved: {moved:,} events of {rounds * events:,} that were delivered")


async def main(rounds: int, events: int) -> None:
    async with own_sink() as sink:
        await costs(sink, rounds, events)


if __name__ == "__main__":
    given = asked("bench.archiving", __doc__, rounds=9)
    asyncio.run(main(given.rounds, given.events))

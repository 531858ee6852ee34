"""Two deployments that take turns, the other one held still: what one costs beside the other."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.rig.deployment import FIRST_EVENTS, Deployment
from bench.rig.drain import Drain, watch
from bench.rig.traffic import define, fill
from dispatcher.cli.bench.children import Child, program
from dispatcher.cli.bench.sink_client import Sink, sink_process

INTEGRATIONS = 100


@dataclass(frozen=True, slots=True)
class Running:
    """A deployment with a worker and perhaps an API, held still."""

    made: Deployment
    api: Child | None

    @property
    def children(self) -> list[Child]:
        return [child for child in (self.api, self.made.worker) if child is not None]

    @property
    def pids(self) -> dict[str, int]:
        return self.made.pids | ({} if self.api is None else {"api": self.api.pid})

    async def drained(self, sink: Sink, events: int) -> Drain:
        before = await self.made.delivered()
        await fill(self.made.queue, events, INTEGRATIONS)
        await sink.reset()
        for child in self.children:
            child.go_on()
        drained = await watch(sink, events, self.pids)
        await self.made.until_settled(before + events)
        self.hold()
        return drained

    def hold(self) -> None:
        for child in reversed(self.children):
            child.hold()


async def running(
    stack: AsyncExitStack, sink: Sink, made: Deployment, module: str = "dispatcher.cli.main", *, api: bool = False
) -> Running:
    """Once it has delivered to each integration. ``module``: the program of both processes."""
    await define(made.redis, made.sealer, INTEGRATIONS, sink.url)
    before = await made.delivered()
    await fill(made.queue, FIRST_EVENTS, INTEGRATIONS)
    serve = None
    if api:
        serve = await stack.enter_async_context(program(made.folder, [module, "serve"], made.settings))
        await serve.said(r'"event":"listening","address":"([^"]+)"')
    worker = await stack.enter_async_context(program(made.folder, [module, "worker", "--supervised"], made.settings))
    await worker.said("(worker started)")
    await made.until_settled(before + FIRST_EVENTS)
    begun = Running(replace(made, worker=worker), serve)
    begun.hold()
    return begun


async def compare(sink: Sink, with_: Running, without: Running, rounds: int, events: int) -> None:
    """Prints deliveries and CPU of both, and the ratios of each round's pair: median and spread."""
    both = (with_, without)
    drains: tuple[list[Drain], list[Drain]] = ([], [])
    for turn in range(rounds):
        for n in (0, 1) if turn % 2 else (1, 0):
            drains[n].append(await both[n].drained(sink, events))
    rates = [[one.rate_per_s for one in some] for some in drains]
    _say("deliveries/s with, without", *rates)
    _ratio("deliveries/s with beside without", *rates)
    for name in drains[1][0].cpu_us:
        _say(f"{name} CPU us an event with, without", *([one.cpu_us[name] for one in some] for some in drains))
    total = [[sum(one.cpu_us.values()) for one in some] for some in drains]
    _say("all CPU us an event with, without", *total)
    _ratio("all CPU with beside without", *total)


def _say(what: str, *figures: Sequence[float]) -> None:
    print(f"{what}: {', '.join(f'{statistics.median(some):,.0f}' for some in figures)}", flush=True)


def _ratio(what: str, with_: Sequence[float], without: Sequence[float]) -> None:
    ratios = [a / b for a, b in zip(with_, without, strict=True)]
    print(f"{what}: {statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


@asynccontextmanager
async def own_sink() -> AsyncIterator[Sink]:
    """A host for both, with a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        async with sink_process(Path(name)) as sink:
            yield sink


def asked(program: str, about: str | None, rounds: int) -> argparse.Namespace:
    """``rounds`` and ``events`` of each, from the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=about)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--events", type=int, default=12_000)
    return parser.parse_args()

"""CPU of a deployment that has nothing to do: two workers, an API process and Redis, as a share of one core."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace

from bench.measurements.recovery import LEASE_S, shared, worker
from bench.plan import INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Setup, api, deployment
from bench.rig.jobs import cpu_s
from bench.rig.traffic import define

WORKERS = 2
PARTITIONS = 16


async def measure(setup: Setup) -> list[Figure]:
    """Spans of a deployment that has served nothing yet, with 16 partitions and the default lease."""
    plan = setup.plan
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(deployment(PARTITIONS))
        made = replace(made, settings=made.settings | {"DISPATCHER_LEASE": str(LEASE_S)})
        await define(made.redis, made.sealer, INTEGRATIONS, setup.sink.url)
        child, _ = await stack.enter_async_context(api(made))
        workers = [await worker(stack, made, f"worker-{number}") for number in range(WORKERS)]
        await shared(made)
        pids = made.pids | {"api": child.pid} | {f"worker {n}": one.pid for n, one in enumerate(workers)}
        spans = [await _used(pids, plan.idle_s) for _ in range(plan.idle_spans)]
    return [
        figure("idle deployment", "% of a core", [sum(span.values()) for span in spans]),
        *(figure(f"idle {name}", "% of a core", [span[name] for span in spans]) for name in pids),
    ]


async def _used(pids: dict[str, int], seconds: float) -> dict[str, float]:
    before, begun_s = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - begun_s
    return {name: (cpu_s(pid) - before[name]) / took_s * 100 for name, pid in pids.items()}

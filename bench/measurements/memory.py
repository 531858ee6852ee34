"""Redis bytes per delivered event, with everything that is kept of it, and where they are."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from typing import Any

from bench.plan import INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, working_deployment
from dispatcher.cli.bench.load import PAYLOAD_BYTES

SAMPLE = 500
_KIND = re.compile(r"^\{p\d+\}:([a-z]+)")


async def measure(setup: Setup) -> list[Figure]:
    """``used_memory`` before and after delivering many events to integrations that were delivered to before."""
    count = setup.plan.kept_events
    async with working_deployment(setup, INTEGRATIONS) as made:
        assert made.worker is not None
        before = await _used_bytes(made)
        await made.drain(setup.sink, count, INTEGRATIONS)
        made.worker.go_on()
        await asyncio.sleep(2.0)
        after = await _used_bytes(made)
        parts = await _by_kind(made, count)
    note = f"payload of {PAYLOAD_BYTES} bytes; " + ", ".join(
        f"{kind} {size:,.0f}" for kind, size in sorted(parts.items(), key=lambda item: -item[1]) if size >= 0.5
    )
    return [figure("Redis bytes per delivered event", "B", [(after - before) / count], note=note)]


async def _used_bytes(made: Deployment) -> int:
    found: dict[str, Any] = await made.redis.info("memory")
    return int(found["used_memory"])


async def _by_kind(made: Deployment, count: int) -> dict[str, float]:
    """Bytes per event of each kind of key (``store/keys/`` names them); of the events' own a sample is measured."""
    names: defaultdict[str, list[bytes]] = defaultdict(list)
    async for name in made.redis.scan_iter(count=1000):
        matched = _KIND.match(name.decode())
        if matched:
            names[matched[1]].append(name)
    sizes: dict[str, float] = {}
    for kind, found in names.items():
        step = max(1, len(found) // SAMPLE)
        measured = [await made.redis.memory_usage(name, samples=0) or 0 for name in found[::step]]
        mean = sum(measured) / len(measured)
        sizes[kind] = mean if kind == "e" else mean * len(found) / count
    return sizes

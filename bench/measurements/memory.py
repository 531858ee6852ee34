"""Redis bytes per delivered event, with everything that is kept of it, and where they are."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from typing import Any

from bench.plan import ACCOUNTS_PER_INTEGRATION, INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import FIRST_EVENTS, Deployment, Setup, working_deployment
from dispatcher.cli.bench.load import PAYLOAD_BYTES

SAMPLE = 500
ACCOUNTS = INTEGRATIONS * ACCOUNTS_PER_INTEGRATION
_KIND = re.compile(r"^\{p\d+\}:([a-z]+)")


async def measure(setup: Setup) -> list[Figure]:
    """``used_memory`` before and after delivering many events of accounts that had some before.

    What a store has once is there then (feeds, figures, accounts): measured is what each further event leaves.
    """
    count = setup.plan.kept_events
    async with working_deployment(setup, INTEGRATIONS) as made:
        await _delivered(setup, made, ACCOUNTS)
        before = await _used_bytes(made)
        await _delivered(setup, made, count)
        after = await _used_bytes(made)
        sizes, parts = await _by_kind(made, FIRST_EVENTS + ACCOUNTS + count)
    note = f"payload of {PAYLOAD_BYTES} bytes; " + ", ".join(
        f"{kind} {size:,.0f}" for kind, size in sorted(parts.items(), key=lambda item: -item[1]) if size >= 0.5
    )
    each = (after - before) / count
    return [
        figure("Redis bytes per delivered event", "B", [each], note=note),
        figure("Redis bytes per account", "B", [sizes["g"]], note="its order and identifier"),
    ]


async def _delivered(setup: Setup, made: Deployment, count: int) -> None:
    """That many events, and time to write down what came of them."""
    assert made.worker is not None
    await made.drain(setup.sink, count, INTEGRATIONS)
    made.worker.go_on()
    await asyncio.sleep(2.0)


async def _used_bytes(made: Deployment) -> int:
    found: dict[str, Any] = await made.redis.info("memory")
    return int(found["used_memory"])


async def _by_kind(made: Deployment, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Bytes of one key of each kind (``store/keys/`` names them), of which a sample is measured; and per event."""
    names: defaultdict[str, list[bytes]] = defaultdict(list)
    async for name in made.redis.scan_iter(count=1000):
        matched = _KIND.match(name.decode())
        if matched:
            names[matched[1]].append(name)
    sizes: dict[str, float] = {}
    for kind, found in names.items():
        step = max(1, len(found) // SAMPLE)
        measured = [await made.redis.memory_usage(name, samples=0) or 0 for name in found[::step]]
        sizes[kind] = sum(measured) / len(measured)
    return sizes, {kind: size * len(names[kind]) / count for kind, size in sizes.items()}

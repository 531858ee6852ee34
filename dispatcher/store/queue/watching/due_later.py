"""Events by the time at which they are due: how many in each step from now on. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client


async def due_later(
    client: Client, lanes: Sequence[tuple[int, str]], from_ms: int, step_ms: int, steps: int
) -> list[int]:
    """Of lanes, each with its partition: heads of their accounts that are due in each step, its end not included."""
    pipeline: Any = client.pipeline(transaction=False)
    for partition, integration_id in lanes:
        for step in range(steps):
            begins_ms = from_ms + step * step_ms
            pipeline.zcount(keys.due(partition, integration_id), begins_ms, f"({begins_ms + step_ms}")
    if not lanes:
        return [0] * steps
    with guarded():
        counts = await pipeline.execute()
    return [sum(counts[step::steps]) for step in range(steps)]

"""An API that is killed while it accepts: whatever had no answer is repeated with its key, and is one event."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.faults.client import NO_ANSWER, Client, client_of
from tests.faults.deployment import Deployment
from tests.waiting import until

pytestmark = pytest.mark.slow

KEYS = 300


async def test_ft7_api_killed_while_it_accepts(deployment: Deployment) -> None:
    integration = await deployment.integration()
    await deployment.worker()
    answered: dict[str, str] = {}
    async with client_of(deployment, integration) as client:
        waiting = [f"key-{n}" for n in range(KEYS)]
        for enough in (40, 80, 120):
            emitting = asyncio.create_task(_emit_all(client, waiting, answered))
            await until(lambda enough=enough: len(answered) >= enough, 60)  # type: ignore[misc]
            client.program.kill()
            await emitting
            waiting = [key for key in waiting if key not in answered]
            client.program, client.address = await deployment.api()
        assert waiting, "every event was accepted before the kill: nothing was tried"
        before = dict(answered)
        again = {
            key: await client.emitted(f"A{key}", key) for key in random.sample(sorted(before), min(20, len(before)))
        }
        assert again.items() <= before.items()
        answered |= {key: await client.emitted(f"A{key}", key) for key in waiting}
    assert len(set(answered.values())) == KEYS
    await deployment.all_succeed(list(answered.values()), within_s=30)
    assert set(deployment.arrivals()) == set(answered.values())
    assert (await deployment.store.recount()).accepted == KEYS
    await deployment.assert_well()


async def _emit_all(client: Client, waiting: list[str], answered: dict[str, str]) -> None:
    """Twenty at a time, each key once."""
    left = list(waiting)

    async def caller() -> None:
        while left:
            key = left.pop()
            status, _, body = await client.emit(f"A{key}", key)
            if status == 202:
                answered[key] = body["id"]
            assert status in (202, 503, NO_ANSWER)

    await asyncio.gather(*(caller() for _ in range(20)))

"""Nobody delivers for a while: accepting goes on, and the backlog is worked off oldest first and fairly."""

from __future__ import annotations

import asyncio
import time

import pytest

from dispatcher.model.integration import Integration
from tests.faults.client import client_of
from tests.faults.deployment import FULL, LEASE_S, Deployment
from tests.hosts import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DEAD_FOR_S = 600.0 if FULL else 2.0
MANY, FEW = 300, 20
TOGETHER = 10


async def test_ft6_all_workers_dead_and_the_backlog_is_drained_oldest_first_and_fairly(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    loud, quiet = await deployment.integration(), await deployment.integration()
    while deployment.queue.partition_of(quiet.id) != deployment.queue.partition_of(loud.id):
        quiet = await deployment.integration()
    for worker in [await deployment.worker(), await deployment.worker()]:
        worker.kill()
    async with client_of(deployment, loud) as client:
        dead_until_s = time.monotonic() + DEAD_FOR_S
        first = [await client.emitted(f"A{n}", f"key-{n}", within_s=5) for n in range(FEW)]
        many = first + await _emit_slowly(deployment, loud, MANY)
        few = await _emit_slowly(deployment, quiet, FEW)
        await asyncio.sleep(max(0.0, dead_until_s - time.monotonic()))
        last = await client.emitted("A-last", "key-last", within_s=5)
        assert not deployment.host.requests
    await deployment.worker(LANE_CONCURRENCY=str(TOGETHER))
    await deployment.all_succeed([*many, *few, last], within_s=LEASE_S + 25)
    order = deployment.sent_order()
    place = {event_id: position for position, event_id in enumerate(order)}
    assert set(deployment.arrivals().values()) == {1}
    assert max(_displacements([*many, last], place)) < 3 * TOGETHER
    assert max(_displacements(few, place)) < 3 * TOGETHER
    assert place[few[-1]] < len(order) / 4, "the short backlog waited for the long one"
    await deployment.assert_well()


async def _emit_slowly(deployment: Deployment, integration: Integration, count: int) -> list[str]:
    """Events of one millisecond are equally old, so they come one by one; each has an account of its own."""
    return [await deployment.emit(integration, f"B{n}") for n in range(count)]


def _displacements(lane: list[str], place: dict[str, int]) -> list[int]:
    """Distance of each event from where it was accepted to where it was sent, among those of its lane."""
    sent = {event_id: position for position, event_id in enumerate(sorted(lane, key=place.__getitem__))}
    return [abs(sent[event_id] - accepted) for accepted, event_id in enumerate(lane)]

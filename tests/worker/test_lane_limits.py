"""The limits of an integration hold from its first event on, before the store has heard of them."""

from __future__ import annotations

import asyncio
import time

from dispatcher.model.integration import LaneLimits
from dispatcher.model.status import Status
from tests.hosts import Received, Reply
from tests.worker.conftest import Shop

EVENTS = 12


async def test_the_first_events_keep_to_the_concurrency_cap(shop: Shop) -> None:
    integration = await shop.integration(limits=LaneLimits(concurrency=2))
    shop.host.default = Reply(delay_s=0.2)
    sent = [await shop.emit(integration, account=f"A-{n}") for n in range(EVENTS)]
    await shop.work()
    ended = [await shop.ended(event_id) for event_id in sent]
    assert {stored.state.status for stored in ended} == {Status.SUCCEEDED}
    attempts = await shop.attempts(sent)
    begun = sorted(attempt.started_ms for attempt in attempts)
    assert len(begun) == EVENTS
    assert all(third - first > 150 for first, third in zip(begun, begun[2:], strict=False))
    await shop.assert_well()


async def test_the_first_events_keep_to_the_rate_limit(shop: Shop) -> None:
    arrived: list[float] = []

    def answer(_: Received) -> Reply:
        arrived.append(time.monotonic())
        return Reply()

    shop.host.default = answer
    integration = await shop.integration(limits=LaneLimits(rate_per_s=10))
    await shop.work()
    sent = [await shop.emit(integration, account=f"A-{n}") for n in range(EVENTS * 2)]
    await asyncio.gather(*(shop.ended(event_id) for event_id in sent))
    busiest = max(sum(1 for other in arrived if start <= other < start + 1) for start in arrived)
    assert len(arrived) == len(sent)
    assert busiest <= 12
    await shop.assert_well()

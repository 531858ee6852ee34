"""The limits of an integration hold from its first event on, before the store has heard of them."""

from __future__ import annotations

import asyncio
import time

from dispatcher.model.integration import LaneLimits
from dispatcher.model.status import Status
from tests.hosts import Reply
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
    """None comes before its turn; a machine that is busy may only make one late."""
    await shop.work()
    await shop.ended(await shop.emit(await shop.integration()))
    rate_per_s = 20
    integration = await shop.integration(limits=LaneLimits(rate_per_s=rate_per_s))
    shop.host.requests.clear()
    began_s = time.monotonic()
    sent = [await shop.emit(integration, account=f"A-{n}") for n in range(EVENTS * 2)]
    await asyncio.gather(*(shop.ended(event_id) for event_id in sent))
    arrived_s = sorted(request.arrived_s - began_s for request in shop.host.requests)
    assert len(arrived_s) == len(sent)
    assert all(at_s >= (turn - 2) / rate_per_s for turn, at_s in enumerate(arrived_s)), arrived_s
    await shop.assert_well()

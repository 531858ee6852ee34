"""Traces that workers leave for the verdict: since when a circuit is open, and why, whoever owns the lane."""

from __future__ import annotations

from dispatcher.model.troubles import TroubledLane
from dispatcher.store.queue.watching.troubles import Troubles
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop


async def test_an_open_circuit_keeps_its_beginning_across_owners_and_half_open_attempts(shop: Shop) -> None:
    shop.host.by_path["/notifications"] = Reply(reset=True)
    integration = await shop.integration(schedule_s=(0.05,) * 40)
    troubles = Troubles(shop.redis, shop.settings.partitions)

    async def lane() -> TroubledLane | None:
        found = [one async for one in troubles.lanes(range(shop.settings.partitions))]
        return next((one for one in found if one.integration_id == integration.id), None)

    async def opened() -> TroubledLane | None:
        found = await lane()
        return found if found is not None and found.circuit_since_ms is not None else None

    await shop.work(circuit_failures=3, circuit_open=0.3)
    event_id = await shop.emit(integration)
    first = await until(opened)
    assert first.cause.outcome == "CONNECT_FAILED"
    assert first.waiting == 1
    await shop.stop_all()
    await shop.work(circuit_failures=3, circuit_open=0.3)

    async def tried_again() -> bool:
        found = await lane()
        return found is not None and found.failures_in_a_row > first.failures_in_a_row + 1

    await until(tried_again)
    found = await lane()
    assert found is not None
    assert found.circuit_since_ms == first.circuit_since_ms
    del shop.host.by_path["/notifications"]
    await shop.ended(event_id)

    async def closed() -> bool:
        seen = await lane()
        return seen is not None and seen.circuit_since_ms is None and seen.failing_since_ms is None

    await until(closed)

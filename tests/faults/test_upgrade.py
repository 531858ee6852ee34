"""Records that this version did not write: of a newer version during a rolling upgrade, or damaged by hand.

What a newer version added stays where a record is written back; what cannot be read stops nothing but itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest

from dispatcher.model.queue import EventFilter
from tests.faults.client import client_of
from tests.faults.deployment import Deployment

pytestmark = pytest.mark.slow

DAMAGE: dict[str, tuple[str, bytes]] = {
    "document without a header": ("doc", b"junk"),
    "document that is no JSON": ("doc", b"%(lane)b\n%(group)b\n{junk"),
    "document that is a list": ("doc", b"%(lane)b\n%(group)b\n[]"),
    "document of a type to come": ("doc", b'%(lane)b\n%(group)b\n{"t":"SUBSCRIPTION_TRANSFER","r":1,"p":"P"}'),
    "state that is no JSON": ("state", b"junk"),
    "state that is a list": ("state", b"[]"),
    "state without a status": ("state", b"{}"),
    "state with a status to come": ("state", b'{"s":"SNOOZED","c":1,"q":1}'),
}


@dataclass(frozen=True, slots=True)
class Damaged:
    key: str
    field: str
    before: bytes


async def damage(deployment: Deployment, event_id: str, lane: str, group: str, how: str) -> Damaged:
    field, text = DAMAGE[how]
    key = f"{{p{deployment.queue.partition_of(lane)}}}:e:{event_id}"
    before = await deployment.redis.hget(key, field)  # type: ignore[misc]
    await deployment.redis.hset(key, field, text % {b"lane": lane.encode(), b"group": group.encode()})  # type: ignore[misc]
    return Damaged(key, field, before)


async def test_ft28_events_that_cannot_be_read_stop_no_other_and_go_on_when_mended(deployment: Deployment) -> None:
    integration = await deployment.integration()
    odd = {how: await deployment.emit(integration, account=f"odd-{n}") for n, how in enumerate(DAMAGE)}
    damaged = {
        how: await damage(deployment, event_id, integration.id, f"odd-{n}", how)
        for n, (how, event_id) in enumerate(odd.items())
    }
    well = await deployment.emit_many([integration], 20)
    worker = await deployment.worker()
    await deployment.all_succeed(well)
    assert set(deployment.arrivals()) == set(well)
    await worker.heard("(event cannot be read)")
    assert worker.alive
    async with client_of(deployment, integration) as client:
        assert await client.status("/readyz") == 200
        page = await deployment.queue.page(EventFilter(), None, 100)
        assert set(well) <= {item.event.id for item in page.items}, "the damaged spoilt the listing"
        for event_id in odd.values():
            await deployment.queue.get(event_id)
            await deployment.queue.explain(event_id)
        assert len(await deployment.queue.changes(None)) >= len(well)
    for one in damaged.values():
        await deployment.redis.hset(one.key, one.field, one.before)  # type: ignore[misc]
    await deployment.all_succeed(list(odd.values()), within_s=30)
    await deployment.assert_well()

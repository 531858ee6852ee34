"""Records that this version did not write: of a newer version during a rolling upgrade, or damaged by hand.

What a newer version added stays where a record is written back; what cannot be read stops nothing but itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.flow.integrations.credentials.rotate_secret import rotate_secret
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.integration import Header
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.keys import definitions as keys
from tests.faults.client import client_of
from tests.faults.deployment import Deployment
from tests.hosts import Reply
from tests.worker.conftest import Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.slow

DAMAGE: dict[str, tuple[str, bytes]] = {
    "document without a header": ("doc", b"junk"),
    "document that is no JSON": ("doc", b"%(lane)b\n%(group)b\n{junk"),
    "document that is a list": ("doc", b"%(lane)b\n%(group)b\n[]"),
    "document of a type to come": ("doc", b'%(lane)b\n%(group)b\n{"t":"SUBSCRIPTION_TRANSFER","r":1,"p":"P"}'),
    "contents of a version to come": (
        "doc",
        b'%(lane)b\n%(group)b\n{"t":"SUBSCRIPTION_CHANGE","r":1}\n{\xfe\0\0\1x',
    ),
    "contents that are cut": ("doc", b'%(lane)b\n%(group)b\n{"t":"SUBSCRIPTION_CHANGE","r":1}\n{\1'),
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
    await deployment.redis.hset(key, mapping={field: text % {b"lane": lane.encode(), b"group": group.encode()}})  # type: ignore[misc]
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
        await deployment.redis.hset(one.key, mapping={one.field: one.before})  # type: ignore[misc]
    await deployment.all_succeed(list(odd.values()), within_s=30)
    await deployment.assert_well()


async def test_ft43_what_a_newer_version_wrote_is_kept_by_whoever_writes_the_record_back(
    deployment: Deployment,
) -> None:
    """The worker settles a retry and a success; this version's API edits, rotates, links and publishes."""
    redis, definitions = deployment.redis, deployment.definitions
    integration = await deployment.integration(headers=(Header("X-One", "1"),), schedule_s=(0.5,))
    await definitions.link("P", integration.id, 3)
    event_id = await deployment.emit(integration)
    record = f"{{p{deployment.queue.partition_of(integration.id)}}}:e:{event_id}"
    for field in ("doc", "state"):
        await _from_newer(redis, record, field)
    places = (keys.definition(integration.id), keys.product("P"), keys.revision(integration.id, 1))
    for place in places:
        await redis.set(place, orjson.dumps(_marked(orjson.loads(await redis.get(place) or b""))))

    deployment.host.replies.append(Reply(500))
    worker = await deployment.worker()
    await deployment.all_succeed([event_id])
    assert worker.errors() == []
    assert len(deployment.host.requests) == 2
    stored = {name: (await redis.hget(record, name)).rpartition(b"\n")[2] for name in ("doc", "state")}  # type: ignore[misc]
    assert all(orjson.loads(text)["newer"] == {"list": [], "n": 1} for text in stored.values()), stored
    info = b'{"host":"h","pid":1,"partitions":[],"inFlight":0,"newer":{"a":1}}'
    await Heartbeats(redis).look("newer")  # not before: who beats once is forgotten while a busy machine works
    await Heartbeats(redis).tell("newer", info)
    assert "newer" in {one.worker_id for one in (await deployment.queue.overview()).workers}

    await definitions.edit(integration.id, lambda now: replace(now, name="Renamed"))
    await rotate_secret(definitions, deployment.sealer, integration.id, 10)
    await definitions.link("P2", integration.id, 11)
    await definitions.unlink("P", integration.id, 12)
    await publish(definitions, integration.id, "test", 13)
    written = orjson.loads(await redis.get(keys.definition(integration.id)) or b"")
    assert written["name"] == "Renamed"
    assert _unmarked(written) == ["signing_secrets[0]"], "only the secret that is new came without"
    assert orjson.loads(await redis.get(keys.product("P")) or b"")["newer"] == 1
    assert _unmarked(orjson.loads(await redis.get(keys.revision(integration.id, 2)) or b"")) == []


async def _from_newer(redis: Redis, record: str, field: str) -> None:
    before: bytes = await redis.hget(record, field)  # type: ignore[misc]
    head, line, text = before.rpartition(b"\n")
    after = orjson.loads(text) | {"newer": {"list": [], "n": 1}}
    await redis.hset(record, mapping={field: head + line + orjson.dumps(after)})  # type: ignore[misc]


_NOT_RECORDS = frozenset({"urls", "filter", "places"})


def _marked(value: Any) -> Any:
    """With a field that this version does not know in every record."""
    if isinstance(value, list):
        return [_marked(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: one if name in _NOT_RECORDS else _marked(one) for name, one in value.items()} | {"newer": 1}


def _unmarked(value: Any, path: str = "") -> list[str]:
    """Records without that field."""
    if isinstance(value, list):
        return [found for n, one in enumerate(value) for found in _unmarked(one, f"{path}[{n}]")]
    if not isinstance(value, dict) or path.rpartition(".")[2] in _NOT_RECORDS:
        return []
    inner = [found for name, one in value.items() for found in _unmarked(one, f"{path}.{name}".lstrip("."))]
    return inner if "newer" in value else [path, *inner]


async def test_ft43_a_definition_that_only_a_newer_version_can_read_is_waited_for(shop: Shop) -> None:
    """Symptom: its events were dead letters, "its integration was deleted"."""
    integration, other = await shop.integration(), await shop.integration()
    key = keys.definition(integration.id)
    readable = await shop.redis.get(key) or b""
    newer = orjson.loads(readable)
    newer["working"]["credentials"]["auth_method"] = "a_method_to_come"
    await shop.redis.set(key, orjson.dumps(newer))
    waiting, well = await shop.emit(integration), await shop.emit(other)
    await shop.work()
    assert (await shop.ended(well)).state.status is Status.SUCCEEDED
    await asyncio.sleep(0.3)
    stored = await shop.queue.get(waiting)
    assert stored is not None
    assert not stored.state.consumed
    await shop.redis.set(key, readable)
    assert (await shop.ended(waiting)).state.status is Status.SUCCEEDED
    await shop.assert_well()

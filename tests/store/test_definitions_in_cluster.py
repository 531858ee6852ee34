"""Definitions on a real server in cluster mode: scripts that stay in their slot, news that arrives."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio import Redis

from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.audit_entry import Action, Author
from dispatcher.model.integration import Integration, Product, Revision
from dispatcher.model.ping import PingStatus, PingTest, PingVersion
from dispatcher.store.access.clients import ClientStore
from dispatcher.store.access.rate_limits import Bucket, RateLimits
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from tests.waiting import until


async def test_whole_life_of_an_integration(cluster: Redis) -> None:
    definitions = Definitions(cluster)
    made = await definitions.create(Integration(new_uuid(), 0, new_hex24(), "n", 1, 1))
    await definitions.publish(made, made.modified_ms, Revision(number=1))
    assert await definitions.link("P", str(made.app_market_id), 5) == Product("P", made.id)
    assert [one.number for one in await definitions.revisions(made.id)] == [1]
    assert [one.id for one in (await definitions.integrations()).items] == [made.id]
    test = PingTest("x", PingVersion.WORKING, PingStatus.RUNNING, 1)
    await definitions.pings.add(made.id, test)
    assert await definitions.pings.replace(made.id, replace(test, status=PingStatus.PASSED))
    await definitions.unlink("P", made.id, 7)
    await definitions.delete(made.id)
    assert await definitions.integration(made.id) is None
    assert await definitions.revisions(made.id) == []
    assert await definitions.pings.last(made.id) is None


async def test_cache_hears_of_writes_elsewhere(cluster: Redis) -> None:
    definitions = Definitions(cluster)
    async with DefinitionCache(Definitions(cluster), cluster) as cache:
        made = await definitions.create(Integration(new_uuid(), 0, new_hex24(), "n", 1, 1))
        for n in range(50):
            await cache.integration(made.id)
            await definitions.edit(made.id, lambda one, n=n: replace(one, name=str(n)))  # type: ignore[misc]
            await until(lambda: cache.peek_integration(made.id) is None)


async def test_changes_are_noted_and_clients_are_metered(cluster: Redis) -> None:
    noting = Noting(AuditLog(cluster), Author("me"), "try", 1)
    definitions = Definitions(cluster).of_vendor("acme").noted(noting)
    made = await definitions.create(Integration(new_uuid(), 0, new_hex24(), "n", 1, 1))
    assert made.vendor_id == "acme"
    assert [one.id for one in (await definitions.integrations()).items] == [made.id]
    assert await Definitions(cluster).of_vendor("brick").integration(made.id) is None
    client, _ = await ClientStore(cluster, noting).create(frozenset({"ops:read"}), "", None, 1)
    await noting.log.append(Action(noting.author, "pauseLane", "lane", made.id, 1))
    reader = AuditReader(cluster)
    entries = (await reader.page(AuditFilter(), None, 10)).items
    assert [one.action().object_id for one in entries] == [made.id, client.client_id, made.id]
    assert (await reader.verify()).well
    assert (await RateLimits(cluster).take(Bucket("x", 1.0, 2.0), 5)).granted == 2

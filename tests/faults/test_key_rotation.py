"""Keys are rotated while workers run: one that was left out delivers nothing that it could not, and says so."""

from __future__ import annotations

import pytest

from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.health.doctor.newest_key import examine_newest_key
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.secrets.sealing import Sealer, new_key
from tests.faults.deployment import Deployment
from tests.faults.processes import Watched
from tests.waiting import until

pytestmark = pytest.mark.slow


async def test_ft49_a_worker_without_the_newest_key_gives_up_its_partitions_to_one_that_has_it(
    deployment: Deployment,
) -> None:
    """Symptom: it kept them, and every event whose secret was sealed with that key waited for its restart."""
    left_out = await deployment.worker()
    lane = await deployment.integration()
    await deployment.all_succeed(await deployment.emit_many([lane], 4))
    newest = new_key()
    ring = f"{newest},{deployment.key}"
    await deployment.api(SECRET_KEYS=ring)
    await left_out.heard(r"(newest secret key)")
    deployment.sealer = Sealer([newest])
    sealed_anew = await deployment.integration()
    waiting = await deployment.emit_many([lane, sealed_anew], 4)
    checked = await until(lambda: _failed(deployment, ring))
    assert f"-{left_out.pid}-" in checked
    worker = await deployment.worker(SECRET_KEYS=ring)
    await deployment.all_succeed(waiting)
    await until(lambda: _owned_by(deployment, worker))
    assert worker.errors() == []
    assert left_out.alive
    await deployment.assert_well()


async def _owned_by(deployment: Deployment, worker: Watched) -> bool:
    """Every partition has this owner, and it is the only worker that is heard of."""
    seen = await deployment.queue.overview()
    owners = {view.owner or "" for view in seen.partitions} | {view.worker_id for view in seen.workers}
    return all(f"-{worker.pid}-" in owner for owner in owners)


async def _failed(deployment: Deployment, ring: str) -> str | None:
    check = await examine_newest_key(deployment.redis, ring.split(","))
    return check.text if check.level is Level.FAIL else None


async def test_ft49_a_key_that_everybody_has_stops_nobody(deployment: Deployment) -> None:
    newest = new_key()
    worker = await deployment.worker(SECRET_KEYS=f"{deployment.key},{newest}")
    await deployment.api(SECRET_KEYS=f"{newest},{deployment.key}")
    await deployment.all_succeed(await deployment.emit_many([await deployment.integration()], 4))
    assert worker.errors() == []
    behind = KeyCheck(deployment.redis, Sealer([deployment.key, newest]))
    await behind.announce()
    assert not await KeyCheck(deployment.redis, Sealer([deployment.key])).passes(), "what was older became the newest"
    await behind.reset()
    assert await KeyCheck(deployment.redis, Sealer([deployment.key])).passes()


async def test_ft49_a_stranger_makes_no_key_the_newest(deployment: Deployment) -> None:
    await KeyCheck(deployment.redis, deployment.sealer).announce()
    await KeyCheck(deployment.redis, Sealer([new_key()])).announce()
    assert await KeyCheck(deployment.redis, deployment.sealer).passes()

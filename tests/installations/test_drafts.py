"""Installations whose steps are open: nothing is delivered, they wait where they were left, and the old ones go."""

from __future__ import annotations

import asyncio

from dispatcher.flow.installations.upkeep.drafts import Drafts
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.keys import installations as keys
from tests.hosts import Reply
from tests.installations.conftest import ALL, STEPS, Scene, step_reply
from tests.installations.test_told import settle_in
from tests.waiting import until

DAY_MS = 86_400_000


def drafts_after(scene: Scene, days: float, kept: float = 30) -> Drafts:
    """The worker's round, so many days from now."""
    store = InstallationStore(scene.redis, scene.services.cache.revision)
    return Drafts(
        store, scene.services.installer.transitions, kept, lambda: scene.services.now_ms() + int(days * DAY_MS)
    )


async def test_c33_old_drafts_go_and_the_host_application_is_told(scene: Scene) -> None:
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(*STEPS, products=("P-1", "P-2")), await scene.account()
    old = await scene.install(integration, headers, productId="P-1")
    await scene.call(old, "verifyConnection", headers)
    done = await scene.install(integration, headers, productId="P-2")
    for function in ("verifyConnection", "verifyBundle"):
        await scene.call(done, function, headers)
    await scene.installed(done)
    unknown = {"name": "x", "_connectorId": "nobody's", "install": [{"name": "s"}]}
    stranger = await scene.json("POST", ALL, 201, json=unknown)
    await drafts_after(scene, 29).once()
    await drafts_after(scene, 99, kept=0).once()
    assert [step["completed"] for step in (await scene.get(old))["install"]] == [True, False]
    await drafts_after(scene, 31).once()
    assert {one["_id"] for one in await scene.json("GET", ALL, 200)} == {done["_id"], stranger["_id"]}
    called = await until(lambda: found if len(found := scene.received("callbacks")) == 2 else None)
    assert [(one.json["Status"], one.json["IntegrationId"]) for one in called] == [
        ("installed", done["_id"]),
        ("abandoned", old["_id"]),
    ]
    await drafts_after(scene, 31).once()
    assert await scene.redis.zcard(keys.DRAFTS) == 0
    assert "SUBSCRIPTION_CANCEL" not in await scene.types()
    await scene.assert_well()


async def test_c33_a_draft_that_its_host_is_asked_about_stays(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: Reply.of(202))
    await scene.call(one, "verifyConnection", headers, 202)
    await drafts_after(scene, 31).once()
    assert (await scene.get(one))["mode"] == "install"


async def test_c33_closed_at_a_step_nothing_is_ordered_and_two_finishes_at_once_order_once(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    await scene.call(one, "verifyConnection", headers)
    assert [step["completed"] for step in (await scene.get(one))["install"]] == [True, False]
    assert "SUBSCRIPTION_ORDER" not in await scene.types()
    path = f"{ALL}/{one['_id']}/installer/verifyBundle"
    both = await asyncio.gather(*(scene.ask("PUT", path, headers=headers) for _ in range(2)))
    assert [answer.status for answer in both] == [200, 200]
    await scene.installed(one)
    assert (await scene.types()).count("SUBSCRIPTION_ORDER") == 1
    await scene.assert_well()

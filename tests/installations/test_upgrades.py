"""Newer revisions: in force at once where they ask for nothing, else once somebody has answered; old ones go on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.flow.installations.upkeep import upgrade_rounds
from dispatcher.flow.installations.upkeep.upgrading import Upgrades
from dispatcher.model.connector import AccountConnector
from dispatcher.model.installation import Installation, InstallStep
from dispatcher.model.integration import Integration, OrderFormField
from dispatcher.model.status import Status
from dispatcher.policy.installing.upgrades import Target
from dispatcher.store.installations.parties.connectors import put_connector
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.keys import installations as keys
from tests.hosts import Received, Reply
from tests.installations.conftest import ALL, STEPS, Scene, completes, step_reply
from tests.installations.test_told import settle_in
from tests.waiting import until

REGION = OrderFormField("region", "Region", "TEXT", required=True)
NEW_STEP = InstallStep("Region", installer_function="verifyRegion")
NEW_URLS = ("createUrl", "upgradeUrl", "cancelUrl")


async def published(scene: Scene, integration: Integration, **changes: Any) -> int:
    """The number of a newer revision, whose URLs are new ones."""
    urls = {name: scene.host.url(f"/new-{name}") for name in NEW_URLS}
    current = await scene.services.definitions.needed(integration.id)
    working = replace(current.working, urls=urls, **changes)
    number = (current.published_revision or 0) + 1
    await scene.services.definitions.publish(
        replace(current, working=working), current.modified_ms, replace(working, number=number)
    )
    return number


async def on_revision(scene: Scene, one: Any, number: int) -> Any:
    async def found() -> Any:
        body = await scene.get(one)
        return body if body["publishedRevision"] == number else None

    return await until(found)


async def offered(scene: Scene, one: Any, number: int) -> Any:
    async def found() -> Any:
        body = await scene.get(one)
        return body if body.get("updateAvailable") == number else None

    return await until(found)


async def told(scene: Scene, *statuses: str) -> list[Received]:
    """The callbacks, once there are as many as statuses, which are what they say."""
    called = await until(lambda: found if len(found := scene.received("callbacks")) >= len(statuses) else None)
    assert [one.json["Status"] for one in called] == list(statuses)
    return list(called)


async def put_settings(scene: Scene, one: Any, n: int, headers: dict[str, str]) -> None:
    body = await scene.get(one)
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=body | {"settings": {"n": n}}, headers=headers)


async def test_c36_a_compatible_revision_moves_what_is_installed_without_a_click(scene: Scene) -> None:
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers, settings={"n": 0})
    await scene.call(one, "verifyConnection", headers)
    before = await scene.installed(one)
    number = await published(scene, integration)
    after = await on_revision(scene, one, number)
    left_alone = ("install", "settings", "mode", "standing", "accountIdentifier", "updateInProgress")
    assert {name: after[name] for name in left_alone} == {name: before[name] for name in left_alone}
    _, updated = await told(scene, "installed", "updated")
    assert (updated.json["IntegrationId"], updated.json["PublishedRevision"]) == (one["_id"], number)
    await put_settings(scene, one, 1, headers)
    await until(lambda: scene.received("new-upgradeUrl"))
    await until_done(scene)
    assert await scene.types() == ["INSTALL_STEP", "SUBSCRIPTION_ORDER", "SUBSCRIPTION_CHANGE"]
    await scene.assert_well()


async def until_done(scene: Scene) -> None:
    async def done() -> bool:
        return not await scene.redis.exists(keys.UPGRADES, keys.UPGRADES_AT)

    await until(done)


async def test_c36_a_revision_that_asks_for_more_waits_while_the_old_one_goes_on(scene: Scene) -> None:
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers, settings={"n": 0}, configuration={"kept": "as it is"})
    await scene.call(one, "verifyConnection", headers)
    before = await scene.installed(one)
    path = f"{ALL}/{one['_id']}/upgrade"
    await scene.json("POST", path, 409, json={}, headers=headers)
    asks = {"order_require_form_fields": True, "order_form_fields": (REGION,), "install_template": (STEPS[0], NEW_STEP)}
    number = await published(scene, integration, **asks)
    waiting = await offered(scene, one, number)
    assert waiting["publishedRevision"] == 1
    refused = await scene.json("POST", path, 422, json={"configuration": {"kept": "other"}}, headers=headers)
    assert [problem["field"] for problem in refused["errors"]] == ["configuration.region"]
    answers = {"configuration": {"region": "eu", "kept": "other"}}
    begun = await scene.json("POST", path, 200, json=answers, headers=headers)
    assert [step["completed"] for step in begun["install"]] == [True, False]
    assert (begun["mode"], begun["publishedRevision"]) == ("settings", 1)
    await put_settings(scene, one, 1, headers)
    await until(lambda: scene.received("upgradeUrl"))
    back = await scene.json("DELETE", path, 200, headers=headers)
    kept = ("install", "configuration", "publishedRevision", "mode")
    assert {name: back[name] for name in kept} == {name: before[name] for name in kept}
    await scene.json("POST", path, 200, json=answers, headers=headers)
    done = await scene.call(one, "verifyRegion", headers)
    assert (done["publishedRevision"], "updateAvailable" in done) == (number, False)
    assert done["configuration"] == {"kept": "as it is", "region": "eu"}
    assert [step["completed"] for step in done["install"]] == [True, True]
    [change] = await until(lambda: scene.received("new-upgradeUrl"))
    assert change.json["payload"]["configuration"] == {"kept": "as it is", "region": "eu"}
    assert [called.json["payload"]["function"] for called in scene.received("new-createUrl")] == ["verifyRegion"]
    await told(scene, "installed", "update_available", "updated")
    await scene.assert_well()


async def test_c36_a_newer_revision_that_asks_for_nothing_ends_the_wait(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await scene.installed(await scene.install(integration, headers))
    await offered(scene, one, await published(scene, integration, install_template=(NEW_STEP,)))
    begun = await scene.json("POST", f"{ALL}/{one['_id']}/upgrade", 200, headers=headers)
    assert begun["install"][0]["name"] == "Region"
    number = await published(scene, integration, install_template=())
    after = await on_revision(scene, one, number)
    assert (after["install"], "updateAvailable" in after) == ([], False)


async def test_c36_what_was_in_its_steps_when_a_revision_came_follows_once_it_is_installed(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    number = await published(scene, integration)
    await until_done(scene)
    assert (await scene.get(one))["publishedRevision"] == 1
    await scene.call(one, "verifyConnection", headers)
    assert (await on_revision(scene, one, number))["standing"] == "INSTALLED"
    assert len(scene.received("createUrl")) == 2


async def deployed(scene: Scene, name: str, account_id: str = "A-1") -> AccountConnector:
    """A partner connector, as a host application deploys it with a session."""
    connector = AccountConnector(7, account_id, name, "1.0", "c" * 24, 1, 1, partner=True)

    async def work(transaction: Transaction) -> None:
        await put_connector(transaction, connector)

    await transacted(scene.redis, work, "connector")
    return connector


async def test_c36_a_new_step_that_a_partner_connector_completes_asks_nobody(scene: Scene) -> None:
    integration, headers, others = await scene.integration(), await scene.account(), await scene.account("A-2")
    mine = await scene.installed(await scene.install(integration, headers))
    theirs = await scene.installed(await scene.install(integration, others))
    connector = await deployed(scene, "Ledger")
    number = await published(scene, integration, install_template=(replace(NEW_STEP, connection="Ledger"),))
    after = await on_revision(scene, mine, number)
    [step] = after["install"]
    assert (step["completed"], step["_connectionId"]) == (True, connector.connection_id)
    assert (await offered(scene, theirs, number))["publishedRevision"] == 1


async def connects(scene: Scene, name: str) -> None:
    """A host application deploys a partner connector with a session."""
    body = {"MarketplaceId": 27, "Username": "sam@customer.example", "Password": "password", "AccountId": "A-1"}
    await scene.json("POST", "/v1.0/users/marketplace", 200, json=body | {"PartnerConnector": {"Name": name}})


async def test_c36_an_update_that_waits_for_a_connection_follows_the_partner_connector(scene: Scene) -> None:
    await settle_in(scene)
    integration, headers = await scene.integration(), await scene.account()
    one = await scene.installed(await scene.install(integration, headers))
    step = replace(NEW_STEP, connection="Ledger")
    number = await published(scene, integration, install_template=(step,))
    await offered(scene, one, number)
    await connects(scene, "Ledger")
    assert [step["completed"] for step in (await on_revision(scene, one, number))["install"]] == [True]
    await until(lambda: nobody_waits(scene))


async def test_what_waits_for_a_connection_is_ordered_once_the_partner_connector_is_there(scene: Scene) -> None:
    await settle_in(scene)
    step = InstallStep("Connect", connection="Ledger")
    integration, headers = await scene.integration(step), await scene.account()
    one = await scene.install(integration, headers)
    assert one["mode"] == "install"
    await connects(scene, "Another")
    await until(lambda: nobody_waits(scene))
    assert (await scene.get(one))["mode"] == "install"
    await connects(scene, "Ledger")
    await scene.installed(one)
    await connects(scene, "Ledger")
    await until(lambda: nobody_waits(scene))
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]
    await scene.assert_well()


async def test_c36_what_was_in_a_managed_update_when_a_revision_came_follows_after_it(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await scene.installed(await scene.install(integration, headers, version="1.0"))
    update = f"/v1/connectors/{integration.connector_id}/update"
    await scene.json("PUT", update, 200, json={"_integrationIds": [one["_id"]]})
    number = await published(scene, integration)
    await until_done(scene)
    locked = await scene.get(one)
    assert locked["publishedRevision"] == 1
    ended = locked | {"updateInProgress": False, "version": "1.1"}
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=ended)
    await on_revision(scene, one, number)


async def test_c36_what_a_crash_left_behind_after_its_order_is_found_by_a_worker(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    number = await published(scene, integration)
    await until_done(scene)
    scene.host.default = step_reply(completes, Reply.of(202))
    await scene.call(one, "verifyConnection", headers)
    order = str((await scene.stored(one)).order_event_id)
    await until(lambda: awaits_its_result(scene, order))
    await scene.stop_work()
    await scene.services.queue.result(order, success=True)
    assert (await scene.installed(one))["publishedRevision"] == 1
    assert await scene.redis.zscore(keys.FREED, one["_id"]) is not None
    await scene.work()
    await on_revision(scene, one, number)
    await until(lambda: nobody_waits(scene))


async def awaits_its_result(scene: Scene, event_id: str) -> bool:
    found = await scene.services.queue.get(event_id)
    return found is not None and found.state.status is Status.AWAITING_RESULT


async def nobody_waits(scene: Scene) -> bool:
    return not await scene.redis.exists(keys.FREED)


async def test_c36_uninstalling_in_the_middle_undoes_what_was_in_force(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    await scene.call(one, "verifyConnection", headers)
    await scene.installed(one)
    await offered(scene, one, await published(scene, integration, install_template=(NEW_STEP,)))
    body = await scene.json("POST", f"{ALL}/{one['_id']}/upgrade", 200, headers=headers)
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=body | {"mode": "uninstall"}, headers=headers)
    await scene.gone(one)
    undone = [
        sent.json["payload"]["function"] for sent in scene.received("cancelUrl") if "function" in sent.json["payload"]
    ]
    assert undone == ["deleteConnection"]


async def test_c36_a_worker_that_is_lost_in_a_round_loses_none_and_tells_none_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade_rounds, "AT_ONCE", 2)
    monkeypatch.setattr(upgrade_rounds, "PAUSE_MS", 0)
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(), await scene.account()
    many = [await scene.installed(await scene.install(integration, headers)) for _ in range(5)]
    await scene.stop_work()
    moved, moves = Upgrades.move, 0

    async def ends(self: Upgrades, one: Installation, target: Target) -> Installation | None:
        nonlocal moves
        moves += 1
        if moves == 4:
            raise RuntimeError("the process ends here")
        return await moved(self, one, target)

    monkeypatch.setattr(Upgrades, "move", ends)
    number = await published(scene, integration)
    await scene.work()
    for one in many:
        assert (await on_revision(scene, one, number))["standing"] == "INSTALLED"
    await until_done(scene)
    await until(lambda: len(scene.received("callbacks")) == 10)
    counted = Counter((one.json["Status"], one.json["IntegrationId"]) for one in scene.received("callbacks"))
    assert counted == {(status, one["_id"]): 1 for status in ("installed", "updated") for one in many}
    await scene.assert_well()

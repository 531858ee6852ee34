"""Remains of an app: connectors and settings for another time, or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.flow.connectors import erasing
from dispatcher.flow.installations.states import pending
from dispatcher.flow.installations.upkeep import forgetting
from dispatcher.store.keys import installations as keys
from tests.hosts import Reply
from tests.installations.conftest import ALL, STEPS, Scene, completes, step_reply
from tests.installations.test_told import MARKETPLACE, settle_in
from tests.waiting import until

BASIC = "dXNlcm5hbWU6cGFzc3dvcmQ="
SECRET = {"name": "apiKey", "type": "password", "value": "hunter2-hunter2"}
SETTINGS = {"sections": [{"fields": [SECRET, {"name": "colour", "type": "text", "value": "red"}]}], "n": 1}
CONNECTORS = "/v1.0/account/connectors"
ACCOUNT = {"X-Cyclr-Account": "A-1"}


async def connected(scene: Scene, *steps: Any) -> Any:
    """An installed app with settings, and the account's own credentials at its host."""
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(*steps), await scene.account()
    await scene.services.marketplaces.edit(MARKETPLACE, lambda one: replace(one, product_ids=("P-1",)))
    connector = {"Name": integration.name, "AuthValue": BASIC}
    body = {"MarketplaceId": MARKETPLACE, "Username": "user@example.com", "Password": "pass word", "AccountId": "A-1"}
    await scene.json("POST", "/v1.0/users/marketplace", 200, json=body | {"PartnerConnector": connector})
    one = await scene.install(integration, headers, settings=SETTINGS)
    for step in steps:
        await scene.call(one, step.installer_function, headers)
    return await scene.installed(one)


async def connectors(scene: Scene) -> list[Any]:
    return list(await scene.json("GET", CONNECTORS, 200, headers=ACCOUNT))


async def uninstalled(scene: Scene, one: Any, **more: Any) -> None:
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=one | {"mode": "uninstall"} | more)
    await scene.gone(one)


async def test_c37_what_is_kept_is_there_when_it_is_installed_again(scene: Scene) -> None:
    one = await connected(scene)
    [before] = await connectors(scene)
    await uninstalled(scene, one)
    assert await connectors(scene) == [before]
    again = await scene.json(
        "POST", ALL, 201, json={"name": "Again", "_connectorId": one["_connectorId"], "_accountId": "A-1"}
    )
    found = await scene.installed(again)
    fields = found["settings"]["sections"][0]["fields"]
    assert (found["settings"]["n"], fields[1]["value"]) == (1, "red")
    assert fields[0]["value"] in ("", "******")
    for name in await scene.redis.keys("*"):
        assert b"hunter2-hunter2" not in (await scene.redis.dump(name) or b""), name
    assert (await scene.get(again))["_id"] != one["_id"]
    assert [each["_id"] for each in await scene.json("GET", ALL, 200)] == [again["_id"]]
    assert await connectors(scene) == [before]
    await scene.assert_well()


async def test_c37_what_is_erased_is_used_once_more_for_the_cancellation_and_then_gone(scene: Scene) -> None:
    one = await connected(scene)
    scene.host.by_path["/cancelUrl"] = Reply(status=500)
    await uninstalled(scene, one, erase=True)
    await until(lambda: scene.received("cancelUrl"))
    assert len(await connectors(scene)) == 1
    scene.host.by_path.clear()

    async def erased() -> bool:
        return await connectors(scene) == []

    await until(erased)
    await until(lambda: is_over(scene))
    assert {sent.headers["Authorization"] for sent in scene.received("cancelUrl")} == {f"Basic {BASIC}"}
    assert not await scene.redis.exists(keys.REMAINS)
    assert await scene.redis.keys("{def}:con:*") == []
    again = await scene.json(
        "POST", ALL, 201, json={"name": "Again", "_connectorId": one["_connectorId"], "_accountId": "A-1"}
    )
    assert again["settings"] is None
    await scene.installed(again)
    await scene.assert_well()


async def test_c37_erasing_forgets_what_the_events_of_the_app_said_and_of_no_other(scene: Scene) -> None:
    one = await connected(scene)
    other = await scene.json("POST", f"{ALL}/{one['_id']}/clone", 201, json={})
    await scene.installed(other)
    notice = {"type": "notify", "productId": "P-1", "accountId": "A-1", "payload": {"notice": {"type": "CLOSED"}}}
    await scene.json("POST", "/v1/events", 202, json=notice)
    await uninstalled(scene, one, erase=True)
    await until(lambda: is_over(scene))
    assert await forgotten(scene) == {one["_id"]: True, other["_id"]: False, None: False}
    await uninstalled(scene, other, erase=True)
    await until(lambda: is_over(scene))
    assert await forgotten(scene) == {one["_id"]: True, other["_id"]: True, None: True}
    for name in await scene.redis.keys("{p*}:e:*"):
        assert b"user@example.com" not in (await scene.redis.dump(name) or b""), name
    assert {event["status"] for event in await scene.events()} == {"SUCCEEDED"}
    await scene.assert_well()


async def test_c37_erasing_waits_for_what_has_not_ended(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_OPEN_EVENTS_MS", 0)
    monkeypatch.setattr(forgetting, "PAGE", 4)
    one = await connected(scene)
    scene.host.by_path["/assignUrl"] = Reply(status=202)
    await scene.stop_work()
    await uninstalled(scene, one, erase=True)
    late = {"type": "assign", "productId": "P-1", "accountId": "A-1", "subscriptionId": one["_id"]}
    waiting = await scene.json("POST", "/v1/events", 202, json=late | {"payload": {"user": {"email": "a@example.com"}}})
    await scene.work()

    async def all_others() -> bool:
        events = [event for event in await scene.events() if event["type"] != "MARKETPLACE_CALLBACK"]
        return [event["id"] for event in events if not event["payloadExpunged"]] == [waiting["id"]]

    await until(all_others)
    assert not await is_over(scene)
    await scene.json("POST", f"/v1/events/{waiting['id']}/resolve", 200)
    await until(lambda: is_over(scene))
    assert set((await forgotten(scene)).values()) == {True}


async def is_over(scene: Scene) -> bool:
    return not await scene.redis.exists(keys.ERASURES)


async def forgotten(scene: Scene) -> dict[str | None, bool]:
    """By installation, whether the contents of its events are gone; of all of them, or of none."""
    found: dict[str | None, set[bool]] = {}
    for event in await scene.events():
        if event["type"] != "MARKETPLACE_CALLBACK":
            found.setdefault(event["subscriptionId"], set()).add(event["payloadExpunged"])
    assert all(len(each) == 1 for each in found.values()), found
    return {name: each.pop() for name, each in found.items()}


async def test_c37_an_erasure_leaves_what_was_installed_again_meanwhile(scene: Scene) -> None:
    one = await connected(scene)
    await scene.stop_work()
    await uninstalled(scene, one, erase=True)
    again = await scene.json(
        "POST", ALL, 201, json={"name": "Again", "_connectorId": one["_connectorId"], "_accountId": "A-1"}
    )
    await scene.work()
    await until(lambda: is_over(scene))
    assert len(await connectors(scene)) == 1
    await scene.installed(again)


async def test_c37_a_connector_is_deleted_when_nothing_uses_it(scene: Scene) -> None:
    one = await connected(scene)
    [connector] = await connectors(scene)
    path = f"{CONNECTORS}/{connector['Id']}"
    refused = await scene.json("DELETE", path, 409, headers=ACCOUNT)
    assert (refused["Errors"][0]["Code"], one["_id"] in refused["Errors"][0]["Message"]) == ("still_used", True)
    await uninstalled(scene, one)
    assert (await scene.ask("DELETE", path, headers={"X-Cyclr-Account": "A-9"})).status == 404
    assert (await scene.ask("DELETE", path, headers=ACCOUNT)).status == 204
    assert (await scene.ask("DELETE", path, headers=ACCOUNT)).status == 404
    assert await connectors(scene) == []


async def test_c37_clean_up_is_tried_again_by_itself_when_the_host_was_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await connected(scene, *STEPS)
    scene.host.default = step_reply(lambda _: Reply.of(503))
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=one | {"mode": "uninstall"})

    async def away() -> bool:
        return "did not answer" in ((await scene.get(one)).get("standingText") or "")

    await until(away)
    assert len(scene.received("cancelUrl")) == 1
    scene.host.default = step_reply(completes)
    monkeypatch.setattr(pending, "UNDO_AGAIN_MS", 0)
    await scene.gone(one)
    await scene.ended(7)
    assert (await scene.types())[-4:] == ["UNINSTALL_STEP"] * 3 + ["SUBSCRIPTION_CANCEL"]
    await scene.assert_well()


async def test_c37_the_host_application_hears_what_was_left_behind(scene: Scene) -> None:
    one = await connected(scene, *STEPS)
    scene.host.default = step_reply(lambda _: Reply.of(200, {"success": False, "message": "Orders are open."}))
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=one | {"mode": "uninstall"})

    async def refused() -> bool:
        return bool((await scene.get(one)).get("standingText") == "Orders are open.")

    await until(refused)
    await scene.json("DELETE", f"{ALL}/{one['_id']}", 204)
    _, gone = await until(lambda: found if len(found := scene.received("callbacks")) == 2 else None)
    assert (gone.json["Status"], gone.json["LeftBehind"]) == ("uninstalled", ["Connection", "Bundle"])

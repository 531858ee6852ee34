"""Managed updates: all or none, locked until their owner ends them, events held meanwhile and released in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Level
from tests.installations.conftest import ALL, STEPS, Scene
from tests.waiting import until

SESSION = {
    "MarketplaceId": 27,
    "Username": "jane@example.com",
    "Password": "password",
    "AccountId": "A-1",
    "AccountName": "Acme",
}


async def push(scene: Scene, integration: Any, *ids: str, expected: int = 200, **kwargs: Any) -> Any:
    path = f"/v1/connectors/{integration.connector_id}/update"
    return await scene.json("PUT", path, expected, json={"_integrationIds": list(ids)}, **kwargs)


async def installed(scene: Scene, integration: Any, headers: dict[str, str], **fields: Any) -> Any:
    made = await scene.install(integration, headers, version="1.0.1", settings={"n": 0}, **fields)
    return await scene.installed(made)


async def end(scene: Scene, one: Any, version: str = "1.0.2", expected: int = 200, **kwargs: Any) -> Any:
    body = await scene.get(one) | {"updateInProgress": False, "version": version}
    return await scene.json("PUT", f"{ALL}/{one['_id']}", expected, json=body, **kwargs)


async def emit(scene: Scene, n: int, account_id: str = "A-1") -> str:
    body = {
        "type": "notify",
        "productId": "P-1",
        "accountId": account_id,
        "payload": {"notice": {"type": "CLOSED", "n": n}},
    }
    return str((await scene.json("POST", "/v1/events", 202, json=body))["id"])


async def test_a_push_locks_and_stays_until_the_owner_ends_it_with_a_higher_version(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await installed(scene, integration, headers)
    path = f"{ALL}/{one['_id']}"
    answer = await push(scene, integration, one["_id"])
    assert answer == {"_connectorId": integration.connector_id, "publishedRevision": 1, "_integrationIds": [one["_id"]]}
    locked = await scene.get(one)
    assert locked["updateInProgress"] is True
    for _ in range(2):
        body = await scene.json("PUT", path, 200, json={"name": "unrelated", "settings": {"n": 0}, "version": "1.0.1"})
        assert body["updateInProgress"] is True
    for version in ("1.0.1", "1.0.0"):
        refused = await end(scene, one, version, 422)
        assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("version_not_higher", "version")
    refused = await end(scene, one, expected=422, headers=headers)
    assert {error["code"] for error in refused["errors"]} == {"read_only_field"}
    left_out = {"name": "unrelated", "settings": {"n": 0}}
    assert (await scene.json("PUT", path, 200, json=left_out))["version"] == "1.0.1"
    ended = await end(scene, one)
    assert (ended["updateInProgress"], ended["version"]) == (False, "1.0.2")
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]


async def test_settings_are_locked_for_users_and_open_to_the_owner(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await installed(scene, integration, headers)
    path = f"{ALL}/{one['_id']}"
    await push(scene, integration, one["_id"])
    changed = one | {"settings": {"n": 1}, "updateInProgress": True}
    refused = await scene.json("PUT", path, 422, json=changed, headers=headers)
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("update_in_progress", "settings")
    mapped = one | {"connectionMap": {"a": "b"}, "updateInProgress": True}
    assert (await scene.json("PUT", path, 422, json=mapped, headers=headers))["errors"][0]["field"] == "connectionMap"
    assert (await scene.get(one))["settings"] == {"n": 0}
    assert (await scene.json("PUT", path, 200, json=changed))["settings"] == {"n": 1}
    named = await scene.get(one) | {"name": "other"}
    assert (await scene.json("PUT", path, 200, json=named, headers=headers))["name"] == "other"


async def test_properties_of_the_connector_are_locked_for_users_and_credentials_are_not(scene: Scene) -> None:
    integration = await scene.integration()
    await scene.json("POST", "/v1/marketplaces", 201, json={"id": 27, "name": "Acme", "productIds": ["P-1"]})
    region = {"Name": "Region", "Value": "eu"}
    connector = {"Name": "Test", "AuthValue": "old-value", "Properties": [region]}
    await scene.json("POST", "/v1.0/users/marketplace", 200, json=SESSION | {"PartnerConnector": connector})
    headers = await scene.account()
    one = await installed(scene, integration, headers)
    (stored,) = await scene.json("GET", "/v1.0/account/connectors", 200, headers=headers)
    path = f"/v1.0/account/connectors/{stored['Id']}"
    await push(scene, integration, one["_id"])
    moved = {"Properties": [region | {"Value": "us"}]}
    refused = await scene.json("PUT", path, 422, json=moved, headers=headers)
    assert (refused["Errors"][0]["Code"], refused["Errors"][0]["Field"]) == ("update_in_progress", "Properties")
    kept = {"AuthValue": "new-value", "Properties": [region]}
    assert (await scene.json("PUT", path, 200, json=kept, headers=headers))["Properties"] == stored["Properties"]
    await end(scene, one)
    after = await scene.json("PUT", path, 200, json=moved, headers=headers)
    assert after["Properties"][0]["Value"] == "us"


async def test_events_are_held_while_it_is_locked_and_go_on_in_order(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS[:1]), await scene.account()
    one = await scene.install(integration, headers, version="1")
    await scene.call(one, "verifyConnection", headers)
    await scene.installed(one)
    await push(scene, integration, one["_id"])
    held = [await emit(scene, n) for n in range(4)]
    await asyncio.sleep(0.3)
    other = await emit(scene, 9, "A-2")
    await until(lambda: scene.received("notifyUrl"))
    assert [sent.json["accountId"] for sent in scene.received("notifyUrl")] == ["A-2"]
    for event_id in held:
        assert (await scene.json("GET", f"/v1/events/{event_id}", 200))["status"] == "HELD"
        explained = await scene.json("GET", f"/v1/events/{event_id}/explain", 200)
        assert explained["reason"] == "update_in_progress"
    listed = {event["id"]: event["status"] for event in await scene.events()}
    assert {listed[event_id] for event_id in held} == {"HELD"}
    await scene.assert_well()
    assert other
    await end(scene, one, "2")
    await until(lambda: len(scene.received("notifyUrl")) == 5)
    mine = [sent.json for sent in scene.received("notifyUrl") if sent.json["accountId"] == "A-1"]
    assert [sent["payload"]["notice"]["n"] for sent in mine] == [0, 1, 2, 3]
    await scene.assert_well()


async def test_an_installer_call_is_not_held(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    await push(scene, integration, one["_id"])
    assert (await scene.call(one, "verifyConnection", headers))["install"][0]["completed"]


async def test_of_two_locks_on_one_account_the_last_one_lifted_lets_events_go(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one, other = [await installed(scene, integration, headers) for _ in range(2)]
    await push(scene, integration, one["_id"], other["_id"])
    event_id = await emit(scene, 1)
    await end(scene, one)
    await asyncio.sleep(0.2)
    assert (await scene.json("GET", f"/v1/events/{event_id}", 200))["status"] == "HELD"
    await scene.json("DELETE", f"{ALL}/{other['_id']}", 204)
    await until(lambda: scene.received("notifyUrl"))
    await scene.ended(4)
    await scene.assert_well()


async def test_one_foreign_id_and_nothing_is_changed(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    foreign = await installed(scene, await scene.integration(products=()), headers)
    mine = await installed(scene, integration, headers)
    refused = await push(scene, integration, mine["_id"], foreign["_id"], "unknown", expected=422)
    assert [(error["code"], error["field"]) for error in refused["errors"]] == [
        ("invalid_reference", "_integrationIds.1"),
        ("invalid_reference", "_integrationIds.2"),
    ]
    assert (await scene.get(mine))["updateInProgress"] is False
    await push(scene, integration, expected=422)
    await push(scene, integration, mine["_id"], expected=404, headers=await owner(scene, "another"))


async def owner(scene: Scene, vendor_id: str) -> dict[str, str]:
    scopes = frozenset({"integrations:read", "integrations:write"})
    client, secret = await scene.services.clients.create(scopes, "publisher", None, 0, vendor_id=vendor_id)
    return await scene.bearer(client.client_id, secret)


async def test_the_install_base_is_the_owners_to_read(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await installed(scene, integration, headers)
    path = f"/v1/connectors/{integration.connector_id}/installBase"
    [listed] = await scene.json("GET", path, 200)
    assert (listed["_integrationId"], listed["_accountId"], listed["version"]) == (one["_id"], "A-1", "1.0.1")
    assert (await scene.ask("GET", path, headers=headers)).status == 403
    assert (await scene.ask("GET", path, headers=await owner(scene, "another"))).status == 404


async def test_a_new_installation_is_refused_while_its_account_is_locked(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await installed(scene, integration, headers)
    await push(scene, integration, one["_id"])
    body = {"name": "x", "_connectorId": integration.connector_id}
    refused = await scene.json("POST", ALL, 422, json=body, headers=headers)
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("update_in_progress", "_connectorId")


async def test_updates_that_take_long_are_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await installed(scene, integration, headers)
    await push(scene, integration, one["_id"])
    page = await (await scene.http.get("/metrics")).text()
    assert "dispatcher_updates_in_progress 1.0" in page
    await asyncio.sleep(0.01)
    monkeypatch.setattr("dispatcher.store.health.doctor.examination.LONG_UPDATE_MS", 1)
    checks = {check.name: check for check in await examine(scene.redis, 4, [])}
    assert checks["updates"].level is Level.WARN
    assert one["_id"] in checks["updates"].text
    await end(scene, one)
    checks = {check.name: check for check in await examine(scene.redis, 4, [])}
    assert (checks["updates"].level, checks["outbox"].level) == (Level.OK, Level.OK)

"""Acts of an account's owner: installs, orders, answers and saves by the installations of its account."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.errors import Conflict
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.integration import Integration, OrderFormField
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.installed.installations import InstallationStore
from tests.api.conftest import Api
from tests.api.installations.samples import ALL, STEPS, account, events_of, install, installable


async def test_steps_come_from_the_published_template(api: Api) -> None:
    integration = await installable(api, "P-9", steps=STEPS)
    one = await install(
        api, await account(api), _connectorId=integration.connector_id, install=[{"name": "mine", "completed": True}]
    )
    assert [(step["name"], step["completed"]) for step in one["install"]] == [("Connection", False), ("Bundle", False)]
    assert (one["mode"], one["productId"], one["publishedRevision"]) == ("install", "P-9", 1)
    assert await events_of(api) == []


async def test_without_steps_it_is_ordered_at_once_and_once(api: Api) -> None:
    integration = await installable(api, "P-9")
    one = await install(
        api,
        await account(api),
        _connectorId=integration.connector_id,
        configuration={"domain": "example.com"},
        edition="BASIC",
        quantity=25,
    )
    assert (one["mode"], one["standing"]) == ("settings", "SETTING_UP")
    [order] = await events_of(api)
    assert (order["type"], order["subscriptionId"], order["productId"]) == ("SUBSCRIPTION_ORDER", one["_id"], "P-9")
    assert order["payload"]["configuration"] == {"domain": "example.com"}
    assert order["payload"]["order"] == {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": 25}]}
    assert order["payload"]["company"]["uuid"] == "A-1"
    await api.ask("DELETE", f"{ALL}/{one['_id']}", headers=await account(api))
    assert [event["type"] for event in await events_of(api)] == ["SUBSCRIPTION_ORDER", "SUBSCRIPTION_CANCEL"]


async def test_deleted_while_it_is_installed_nothing_was_ordered_and_nothing_is_cancelled(api: Api) -> None:
    integration = await installable(api, steps=STEPS)
    one = await install(api, await account(api), _connectorId=integration.connector_id)
    assert (await api.ask("DELETE", f"{ALL}/{one['_id']}")).status == 204
    assert await events_of(api) == []


async def test_the_product_is_named_where_there_are_several(api: Api) -> None:
    integration = await installable(api, "P-8", "P-9")
    headers = await account(api)
    body = {"name": "x", "_connectorId": integration.connector_id}
    await api.refused("POST", ALL, 422, "missing_field", "productId", json=body, headers=headers)
    other = body | {"productId": "P-0"}
    await api.refused("POST", ALL, 422, "product_not_linked", "productId", json=other, headers=headers)
    assert (await install(api, headers, _connectorId=integration.connector_id, productId="P-8"))["productId"] == "P-8"


async def test_an_unpublished_integration_cannot_be_installed(api: Api) -> None:
    draft = await api.services.definitions.create(Integration(new_uuid(), 0, new_hex24(), "draft", 1, 1))
    body = {"name": "x", "_connectorId": draft.connector_id}
    await api.refused("POST", ALL, 422, "not_published", "_connectorId", json=body)


async def test_answers_to_the_purchase_form_are_checked_at_once(api: Api) -> None:
    fields = (
        OrderFormField("domain", "Domain", required=True),
        OrderFormField("seats", "Seats", "NUMBER"),
        OrderFormField("contact", "Contact", "EMAIL", required=True),
    )
    integration = await installable(api, fields=fields)
    body = {"name": "x", "_connectorId": integration.connector_id, "configuration": {"seats": "many", "contact": "me"}}
    refused = await api.refused("POST", ALL, 422, "missing_field", "configuration.domain", json=body)
    assert [(error["code"], error["field"]) for error in refused["errors"]] == [
        ("missing_field", "configuration.domain"),
        ("invalid_value", "configuration.seats"),
        ("invalid_value", "configuration.contact"),
    ]
    assert await api.json("GET", ALL, 200) == []


async def test_a_user_changes_what_is_the_users_and_nothing_else(api: Api) -> None:
    integration = await installable(api, steps=STEPS)
    headers = await account(api)
    one = await install(api, headers, _connectorId=integration.connector_id, version="1.0.1")
    path = f"{ALL}/{one['_id']}"
    done = [step | {"completed": True} for step in one["install"]]
    changes: dict[str, Any] = {
        "version": "1.0.2",
        "_connectorId": "other",
        "updateInProgress": True,
        "mode": "settings",
    }
    for name, value in changes.items():
        body = one | {name: value}
        await api.refused("PUT", path, 422, "read_only_field", name, json=body, headers=headers)
    await api.refused(
        "PUT", path, 422, "read_only_field", "install.0.completed", json=one | {"install": done}, headers=headers
    )
    same = await api.json("PUT", path, 200, json=one | {"_id": "x", "createdAt": 1, "name": "N"}, headers=headers)
    assert (same["name"], same["version"], same["_id"]) == ("N", "1.0.1", one["_id"])
    left_out = await api.json("PUT", path, 200, json={"name": "N"}, headers=headers)
    assert left_out["version"] == "1.0.1"
    assert left_out["install"] == one["install"]


async def test_settings_that_a_user_saves_are_told_once_and_an_owners_are_not(api: Api) -> None:
    integration = await installable(api)
    headers = await account(api)
    one = await install(api, headers, _connectorId=integration.connector_id, settings={"colour": "red", "n": 1})
    path = f"{ALL}/{one['_id']}"
    await api.json("PUT", path, 200, json=one, headers=headers)
    for n in (1, 1.0):
        await api.json("PUT", path, 200, json=one | {"settings": {"n": n, "colour": "red"}}, headers=headers)
    assert len(await events_of(api)) == 1
    await api.json("PUT", path, 200, json=one | {"settings": {"colour": "blue"}}, headers=headers)
    _, change = await events_of(api)
    assert change["type"] == "SUBSCRIPTION_CHANGE"
    assert change["payload"]["configuration"] == {"colour": "blue"}
    assert change["sequence"] == 2
    for other in ({"colour": True}, {"colour": 1}, {"colour": [1]}, {"colour": [1, 2]}, {"color": [1, 2]}):
        await api.json("PUT", path, 200, json=one | {"settings": other}, headers=headers)
    assert len(await events_of(api)) == 7
    await api.json("PUT", path, 200, json=one | {"settings": {"colour": "green"}})
    assert len(await events_of(api)) == 7


async def test_an_integration_that_is_deleted_meanwhile_is_not_installed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = await installable(api)
    write = InstallationStore.write

    async def late(self: InstallationStore, *args: Any) -> bool:
        monkeypatch.undo()
        await api.services.definitions.delete(integration.id)
        return await write(self, *args)

    monkeypatch.setattr(InstallationStore, "write", late)
    body = {"name": "x", "_connectorId": integration.connector_id, "_accountId": "A-1"}
    await api.refused("POST", ALL, 422, "invalid_reference", "_connectorId", json=body)
    assert await api.json("GET", ALL, 200) == []


async def test_an_integration_that_is_installed_meanwhile_is_not_deleted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = await installable(api)
    headers, swap, earlier = await account(api), Definitions._swap, []

    async def late(self: Definitions, *args: Any) -> bool:
        monkeypatch.undo()
        earlier.append(await install(api, headers, _connectorId=integration.connector_id))
        return await swap(self, *args)

    await install(api, headers, _connectorId=integration.connector_id)
    (first,) = await api.json("GET", ALL, 200)
    assert (await api.ask("DELETE", f"{ALL}/{first['_id']}")).status == 204
    monkeypatch.setattr(Definitions, "_swap", late)
    with pytest.raises(Conflict) as refused:
        await api.services.definitions.delete(integration.id)
    assert refused.value.problems[0].code == "still_installed"
    assert [one["_id"] for one in await api.json("GET", ALL, 200)] == [earlier[0]["_id"]]

"""/v1/integrations as its document has it: create, read, replace, delete, clone."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.errors import Conflict
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.integration import Integration, OrderFormField
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.installed.installations import InstallationStore
from tests.api.conftest import Api, Start
from tests.api.installations.samples import ALL, DIY, SMART, STEPS, account, events_of, install, installable

SMART_FIELDS = {"install", "mode", "settings", "version", "updateInProgress"}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def made(api: Api, body: Any, **more: Any) -> Any:
    return await api.json("POST", ALL, 201, json=body, **more)


async def test_without_any_integration_the_list_is_an_empty_array(api: Api) -> None:
    assert await api.json("GET", ALL, 200) == []


async def test_a_diy_integration_has_a_name_and_a_readme_and_nothing_of_a_smart_connector(api: Api) -> None:
    one = await made(api, DIY | {"mode": "install", "settings": {"a": 1}, "version": "1"})
    assert re.fullmatch("[0-9a-f]{24}", one["_id"])
    assert ISO.fullmatch(one["lastModified"])
    assert ISO.fullmatch(one["createdAt"])
    assert (one["name"], one["readme"]) == (DIY["name"], DIY["readme"])
    assert not SMART_FIELDS & one.keys()
    assert await api.json("GET", f"{ALL}/{one['_id']}", 200) == one
    assert await api.json("GET", ALL, 200) == [one]


async def test_the_documented_smart_connector_comes_back_as_it_was_sent(api: Api) -> None:
    one = await made(api, SMART)
    found = await api.json("GET", f"{ALL}/{one['_id']}", 200)
    for name in ("install", "settings", "version", "_connectorId", "mode", "name"):
        assert found[name] == SMART[name], name
    assert found["updateInProgress"] is False
    assert (await events_of(api)) == []
    assert one["_id"] != SMART["_id"]


async def test_an_unknown_integration_is_not_found(api: Api) -> None:
    unknown = f"{ALL}/57974ed227a82a3475cecb15"
    body = await api.refused("GET", unknown, 404, "not_found", "_id")
    assert set(body["errors"][0]) == {"code", "message", "field"}
    await api.refused("PUT", unknown, 404, "not_found", "_id", json=DIY)
    await api.refused("DELETE", unknown, 404, "not_found", "_id")
    await api.refused("POST", f"{unknown}/clone", 404, "not_found", "_id", json={})


async def test_put_replaces_everything_but_what_the_dispatcher_keeps(api: Api) -> None:
    one = await made(api, SMART | {"readme": "old", "colour": "red", "shape": {"round": True}})
    api.clock.now_s += 1
    after = await api.json("PUT", f"{ALL}/{one['_id']}", 200, json={"name": "New", "colour": "blue"})
    assert after["name"] == "New"
    assert after["colour"] == "blue"
    assert not {"readme", "shape", "version"} & after.keys()
    assert after["settings"] is None
    assert after["lastModified"] > one["lastModified"]
    for name in ("_id", "createdAt", "mode", "updateInProgress", "_connectorId", "install"):
        assert after[name] == one[name], name


async def test_what_was_read_can_be_written_back(api: Api) -> None:
    one = await made(api, SMART)
    api.clock.now_s += 1
    again = await api.json("PUT", f"{ALL}/{one['_id']}", 200, json=one)
    assert {**again, "lastModified": None} == {**one, "lastModified": None}


async def test_deleted_it_is_gone(api: Api) -> None:
    one = await made(api, DIY)
    answer = await api.ask("DELETE", f"{ALL}/{one['_id']}")
    assert (answer.status, await answer.read()) == (204, b"")
    await api.refused("DELETE", f"{ALL}/{one['_id']}", 404, "not_found", "_id")
    assert await api.json("GET", ALL, 200) == []


async def test_a_clone_has_the_same_steps_all_of_them_open(api: Api) -> None:
    one = await made(api, SMART)
    old = SMART["install"][0]["_connectionId"]
    cloned = await api.json(
        "POST", f"{ALL}/{one['_id']}/clone", 201, json={"name": "x", "connectionMap": {old: "another"}}
    )
    assert cloned["_id"] != one["_id"]
    assert cloned["_sourceId"] == one["_id"]
    assert cloned["name"] == "x"
    assert (cloned["mode"], cloned["updateInProgress"]) == ("install", False)
    assert [step["completed"] for step in cloned["install"]] == [False] * 4
    assert [step.get("_connectionId") for step in cloned["install"]] == ["another", "another", None, None]
    assert "accountIdentifier" not in cloned
    plain = await api.json("POST", f"{ALL}/{one['_id']}/clone", 201)
    assert plain["install"] == one["install"]


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Bearer nonsense"}])
async def test_nobody_gets_in_without_a_good_token(api: Api, headers: dict[str, str]) -> None:
    answer = await api.ask("GET", ALL, headers=headers)
    assert answer.status == 401
    assert (await answer.json())["errors"]


async def test_an_account_sees_its_own_only(api: Api) -> None:
    mine, others = await account(api, "A-1"), await account(api, "A-2")
    one = await made(api, SMART, headers=mine)
    assert one["_accountId"] == "A-1"
    assert await api.json("GET", ALL, 200, headers=others) == []
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/clone")):
        body = {"name": "mine now"} if method != "GET" else None
        await api.refused(method, f"{ALL}/{one['_id']}{path}", 404, "not_found", "_id", headers=others, json=body)
    assert [found["_id"] for found in await api.json("GET", ALL, 200, headers=mine)] == [one["_id"]]
    refused = SMART | {"_accountId": "A-1"}
    await api.refused("POST", ALL, 403, "account_restricted", "_accountId", headers=others, json=refused)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"mode": "bogus"}, "mode"), ({"mode": "settings"}, "mode"), ({"mode": "uninstall"}, "mode")],
)
async def test_the_mode_is_not_a_clients_to_give(api: Api, given: dict[str, str], field: str) -> None:
    code = "invalid_value" if given["mode"] == "bogus" else "read_only_field"
    await api.refused("POST", ALL, 422, code, field, json=SMART | given)
    one = await made(api, SMART)
    await api.json("PUT", f"{ALL}/{one['_id']}", 200, json={"name": "x", "mode": "install"})
    await api.refused("PUT", f"{ALL}/{one['_id']}", 422, "read_only_field", "mode", json=SMART | {"mode": "settings"})


async def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    body = {"name": "", "readme": 7, "install": [{"name": "x", "installURL": "javascript:alert(1)"}]}
    refused = await api.refused("POST", ALL, 422, "invalid_value", "name", json=body)
    assert [error["field"] for error in refused["errors"]] == ["name", "readme", "install.0.installURL"]
    assert all(set(error) == {"code", "message", "field"} for error in refused["errors"])


async def test_what_is_not_json_is_refused(api: Api) -> None:
    json_type = {"Content-Type": "application/json"}
    await api.refused("POST", ALL, 400, "invalid_json", None, data=b"{", headers=json_type)
    await api.refused(
        "POST",
        ALL,
        415,
        "unsupported_media_type",
        "Content-Type",
        data=b"name=x",
        headers={"Content-Type": "text/plain"},
    )


async def test_a_client_over_its_rate_is_told_when_to_go_on(start: Start) -> None:
    api = await start(client_rate=1.0, client_burst=2.0)
    answers = [await api.ask("GET", ALL) for _ in range(4)]
    limited = answers[-1]
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) >= 1
    assert (await limited.json())["errors"][0]["code"] == "rate_limited"


async def test_the_same_key_makes_one_integration(api: Api) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = await made(api, SMART, headers=headers), await made(api, SMART, headers=headers)
    assert first == second
    together = await asyncio.gather(*(made(api, SMART, headers={"Idempotency-Key": "k-2"}) for _ in range(5)))
    assert len({one["_id"] for one in together}) == 1
    assert len(await api.json("GET", ALL, 200)) == 2
    await api.refused("POST", ALL, 409, "idempotency_conflict", "Idempotency-Key", json=DIY, headers=headers)
    clones = [
        await api.json("POST", f"{ALL}/{first['_id']}/clone", 201, json={}, headers={"Idempotency-Key": "k-3"})
        for _ in range(2)
    ]
    assert clones[0] == clones[1]
    assert len(await api.json("GET", ALL, 200)) == 3


async def test_secrets_among_settings_are_masked_and_kept(api: Api) -> None:
    field = {"name": "apiKey", "type": "password", "value": "hunter2"}
    settings = {"sections": [{"title": "Access", "fields": [field]}], "encrypted": {"token": "s3cr3t-token"}}
    one = await made(api, SMART | {"settings": settings})
    assert one["settings"]["sections"][0]["fields"][0]["value"] == "******"
    assert one["settings"]["encrypted"] == {"token": "******"}
    for key in await api.redis.keys("*"):
        if await api.redis.type(key) == b"string":
            assert b"hunter2" not in (await api.redis.get(key) or b"")
            assert b"s3cr3t" not in await api.redis.get(key)
    again = await api.json("PUT", f"{ALL}/{one['_id']}", 200, json=one | {"readme": "other"})
    assert again["settings"] == one["settings"]
    stored = await api.services.installer.find(one["_id"])
    assert stored is not None
    assert "hunter2" in str(api.services.installer.seals.opened(stored.settings, stored.id))
    masked = SMART | {"settings": settings | {"encrypted": {"token": "******"}}}
    await api.refused("POST", ALL, 422, "masked_value", "settings", json=masked)


async def test_a_change_that_names_another_state_is_refused(api: Api) -> None:
    one = await made(api, DIY)
    path = f"{ALL}/{one['_id']}"
    tag = (await api.ask("GET", path)).headers["ETag"]
    await api.json("PUT", path, 200, json=DIY | {"readme": "new"}, headers={"If-Match": tag})
    await api.refused("PUT", path, 412, "precondition_failed", None, json=DIY, headers={"If-Match": tag})
    await api.refused("DELETE", path, 412, "precondition_failed", None, headers={"If-Match": tag})
    assert (await api.json("GET", path, 200))["readme"] == "new"


async def test_long_lists_come_in_pages_that_lead_on(api: Api) -> None:
    ids = [(await made(api, DIY | {"name": f"n{n}"}))["_id"] for n in range(5)]
    seen, path = [], f"{ALL}?limit=2"
    while path:
        answer = await api.ask("GET", path)
        seen += [one["_id"] for one in await answer.json()]
        link = answer.headers.get("Link", "")
        found = re.fullmatch(r"<https://dispatcher\.example(/[^>]+)>; rel=\"next\"", link)
        path = found[1] if found else ""
    assert seen == ids


async def test_a_publisher_sees_what_is_installed_of_its_own(api: Api) -> None:
    mine = await installable(api, steps=STEPS)
    await api.services.definitions.edit(mine.id, lambda one: replace(one, vendor_id="acme"))
    one = await install(api, await account(api), _connectorId=mine.connector_id)
    await made(api, SMART)
    for vendor, expected in (("acme", [one["_id"]]), ("brick", [])):
        client, secret = await api.services.clients.create(
            frozenset({"integrations:read", "integrations:write"}), "v", None, 0, vendor_id=vendor
        )
        headers = await api.bearer(client.client_id, secret)
        assert [found["_id"] for found in await api.json("GET", ALL, 200, headers=headers)] == expected
        status = 200 if expected else 404
        assert (await api.ask("GET", f"{ALL}/{one['_id']}", headers=headers)).status == status
        await api.refused("POST", ALL, 422, "invalid_reference", "_connectorId", json=SMART, headers=headers)


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

"""Reach of integrations, and refusals: wrong fields, wrong states, too much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.conftest import Api, Start
from tests.api.installations.made import made
from tests.api.installations.samples import ALL, DIY, SMART, STEPS, account, install, installable


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


async def test_a_change_that_names_another_state_is_refused(api: Api) -> None:
    one = await made(api, DIY)
    path = f"{ALL}/{one['_id']}"
    tag = (await api.ask("GET", path)).headers["ETag"]
    await api.json("PUT", path, 200, json=DIY | {"readme": "new"}, headers={"If-Match": tag})
    await api.refused("PUT", path, 412, "precondition_failed", None, json=DIY, headers={"If-Match": tag})
    await api.refused("DELETE", path, 412, "precondition_failed", None, headers={"If-Match": tag})
    assert (await api.json("GET", path, 200))["readme"] == "new"


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

"""/v1/integrations as its document has it: create, read, replace, delete, clone."""

from __future__ import annotations

import asyncio
import re

from tests.api.conftest import Api
from tests.api.installations.made import made
from tests.api.installations.samples import ALL, DIY, SMART, events_of

SMART_FIELDS = {"install", "mode", "settings", "version", "updateInProgress"}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


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

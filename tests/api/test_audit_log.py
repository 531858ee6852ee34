"""The audit log: every change by hand is in it, in one step with the change, and without a secret."""

from __future__ import annotations

import json

import pytest

from dispatcher.api.table import api_routes
from dispatcher.errors import StoreUnavailable
from dispatcher.model.audit_entry import Action
from dispatcher.model.status import Status
from dispatcher.policy.differences import differences
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.audit_log.reading import AuditReader
from dispatcher.store.keys.definitions import AUDIT_STREAM as STREAM
from dispatcher.store.secrets.sealing import Sealer
from tests.api.audit_entries import PATH, admin, entries, newest
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, Start, basic
from tests.api.installations.test_noted import CHANGES
from tests.api.town import MUTATIONS
from tests.api.worker_hand import WorkerHand


async def test_every_mutation_leaves_an_entry_that_says_who_what_and_where_from(start: Start) -> None:
    api = await start()
    tenant = await admin(api)
    unlink = f'integrationId: "{tenant.id}", productId: "P-1"'
    assert [one["action"] for one in await entries(api)] == [
        "linkProductIntegration",
        "publishProductIntegration",
        "createProductIntegration",
        "ensureAdmin",
    ]
    await tenant.mutate("unlinkProductIntegration", unlink)
    done = {"linkProductIntegration", "unlinkProductIntegration", "deleteProductIntegration"}
    exclusive = "removeProductIntegrationSingleSignOnConfiguration"
    for name in [one for one in MUTATIONS if one not in done] + ["deleteProductIntegration"]:
        if "OpenIdConnect" in name and name.startswith("add"):
            await tenant.mutate(exclusive, MUTATIONS[exclusive].format(tenant.id))
        payload = await tenant.mutate(name, MUTATIONS[name].format(tenant.id))
        assert payload["userErrors"] == [], (name, payload)
        entry = await newest(api)
        assert (entry["action"], entry["kind"], entry["objectId"]) == (name, "integration", tenant.id), entry
        assert entry["address"] == "127.0.0.1"
        assert "integrations:write" in entry["scopes"]
        assert entry["clientId"] != "admin"
        assert entry["requestId"]
    assert (await AuditReader(api.redis).verify()).well


async def test_an_entry_holds_what_differs_before_and_after(start: Start) -> None:
    api = await start()
    tenant = await admin(api)
    changed = f'id: "{tenant.id}", name: "new name", upgradeUrl: "https://host.example/up", createUrl: null'
    await tenant.mutate("updateProductIntegration", changed)
    entry = await newest(api)
    entry["before"].pop("modified_ms"), entry["after"].pop("modified_ms")
    assert entry["before"] == {"name": "of None", "working.urls.createUrl": "https://host.example/P-1"}
    assert entry["after"] == {"name": "new name", "working.urls.upgradeUrl": "https://host.example/up"}
    assert entry["outcome"] == "done"


async def test_a_mutation_that_is_refused_leaves_no_entry(start: Start) -> None:
    api = await start()
    tenant = await admin(api)
    before = await newest(api)
    refused = await tenant.mutate("updateProductIntegration", f'id: "{tenant.id}", createUrl: "nonsense"')
    assert refused["userErrors"]
    assert await newest(api) == before


async def test_actions_of_operators_are_written_down_before_they_are_done(api: Api) -> None:
    hand, event_id = WorkerHand(api), (await api.emit())["id"]
    await hand.settle(event_id, Status.DEAD)
    lane = (await api.json("GET", f"/v1/events/{event_id}", 200))["integrationId"]
    for method, path, action, object_id in (
        ("POST", f"/v1/lanes/{lane}/pause", "pauseLane", lane),
        ("POST", f"/v1/lanes/{lane}/resume", "resumeLane", lane),
        ("POST", f"/v1/events/{event_id}/redeliver", "redeliverEvent", event_id),
        ("POST", f"/v1/events/{event_id}/resolve", "resolveEvent", event_id),
        ("DELETE", f"/v1/events/{event_id}/payload", "expungePayload", event_id),
    ):
        assert (await api.ask(method, path)).status < 300
        entry = await newest(api)
        assert (entry["action"], entry["objectId"], entry["outcome"]) == (action, object_id, "requested")
    retrying = (await api.emit(accountId="A-2"))["id"]
    await hand.settle(retrying, Status.RETRYING, delay_ms=60_000)
    await api.json("POST", f"/v1/events/{retrying}/deliver-now", 202)
    entry = await newest(api)
    assert (entry["action"], entry["objectId"], entry["before"]) == (
        "deliverEventNow",
        retrying,
        {"status": "RETRYING"},
    )
    started = await api.json("POST", "/v1/redeliveries", 202, json={"filter": {"accountId": "A-1"}})
    entry = await newest(api)
    assert (entry["action"], entry["objectId"]) == ("redeliverEvents", started["id"])
    assert entry["after"] == {"filter": {"accountId": "A-1"}, "matched": 0}
    await api.json("DELETE", f"/v1/redeliveries/{started['id']}", 200)
    entry = await newest(api)
    assert (entry["action"], entry["objectId"]) == ("cancelRedelivery", started["id"])
    for action, name in (("deliver-now", "deliverEventsNow"), ("resolve", "resolveEvents")):
        asked = {"filter": {"accountId": "A-1"}, "action": action, "rate": 5.0}
        started = await api.json("POST", "/v1/redeliveries", 202, json=asked)
        entry = await newest(api)
        assert (entry["action"], entry["objectId"]) == (name, started["id"])
        assert entry["after"] == {"filter": {"accountId": "A-1"}, "matched": 0, "rate": 5.0}


async def test_an_action_that_is_refused_says_so_in_a_second_entry(api: Api) -> None:
    event_id = (await api.emit())["id"]
    await api.refused("POST", f"/v1/events/{event_id}/redeliver", 409, "wrong_status")
    refused, requested = (await entries(api))[:2]
    assert (requested["action"], requested["outcome"]) == ("redeliverEvent", "requested")
    assert (refused["action"], refused["outcome"]) == ("redeliverEvent", "wrong_status")
    await api.refused("POST", "/v1/events/nothing/redeliver", 404, "not_found")
    assert await newest(api) == refused


async def test_accepting_and_reading_leave_no_entry(api: Api) -> None:
    before = await newest(api)
    await api.emit()
    await api.json("POST", "/v1/redeliveries", 200, json={"filter": {}, "dryRun": True})
    for path in ("/v1/events", "/v1/queue", "/v1/clients", PATH):
        await api.json("GET", path, 200)
    assert await newest(api) == before


async def test_nothing_is_changed_when_nothing_can_be_written_down(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = (await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200))["integrationId"]

    async def away(log: AuditLog, action: Action, write: object) -> bool:
        raise StoreUnavailable("away")

    monkeypatch.setattr(AuditLog, "chained", away)
    await api.refused("POST", f"/v1/lanes/{lane}/pause", 503, "unknown_outcome")
    made = {"scopes": ["events:read"], "name": "unnoted"}
    await api.refused("POST", "/v1/clients", 503, "unknown_outcome", json=made)
    monkeypatch.undo()
    assert not [one for one in (await api.json("GET", "/v1/clients", 200))["data"] if one["name"] == "unnoted"]
    lanes = (await api.json("GET", "/v1/queue", 200))["lanes"]
    assert [one["paused"] for one in lanes if one["integrationId"] == lane] == [False]


async def test_clients_are_noted_in_the_same_step_and_without_their_secrets(api: Api) -> None:
    made = await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"]})
    one = f"/v1/clients/{made['clientId']}"
    rotated = await api.json("POST", f"{one}/rotate", 200)
    await api.json("PATCH", one, 200, json={"scopes": ["ops:read"]})
    await api.ask("DELETE", one)
    found = await entries(api, objectId=made["clientId"])
    assert [entry["action"] for entry in found] == ["disableClient", "changeClient", "rotateClient", "createClient"]
    assert (found[0]["before"], found[0]["after"]) == ({"disabled": False}, {"disabled": True})
    assert (found[1]["before"], found[1]["after"]) == ({"scopes": ["events:read"]}, {"scopes": ["ops:read"]})
    assert found[2]["before"]["secret_hash"] != found[2]["after"]["secret_hash"]
    text = json.dumps(found)
    assert made["clientSecret"] not in text
    assert rotated["clientSecret"] not in text


async def test_no_secret_of_an_integration_is_in_its_entries(start: Start) -> None:
    api = await start()
    tenant = await admin(api)
    canary = "canary-S3cr3t-0123456789"
    await tenant.mutate(
        "updateProductIntegration",
        f'id: "{tenant.id}", headers: [{{ name: "X-Api-Key", value: "{canary}" }}], outboundCredentials:'
        f' {{ type: OAUTH2, clientId: "c", clientSecret: "{canary}", tokenUri: "https://host.example/t" }}',
    )
    pair = await tenant.mutate("generateProductIntegrationInboundClient", f'id: "{tenant.id}"', "clientSecret")
    rotated = await tenant.mutate("rotateProductIntegrationSigningSecret", f'id: "{tenant.id}"', "signingSecret")
    stored = b"".join(fields[b"e"] for _, fields in await api.redis.xrange(STREAM)).decode()
    for secret in (canary, pair["clientSecret"], rotated["signingSecret"].removeprefix("whsec_"), '"v1.'):
        assert secret not in stored, secret
    assert "sha256:" in stored


def test_differences_hash_what_is_secret_and_cut_what_is_long() -> None:
    before = {"a": {"client_secret": "", "url": "u", "same": 1}, "public_key": "k1", "list": [1]}
    after = {
        "a": {"client_secret": "x", "url": "v" * 5000, "same": 1},
        "public_key": "k2",
        "list": [1, 2],
        "token": "t",
    }
    old, new = differences(before, after)
    assert old == {"a.client_secret": "", "a.url": "u", "public_key": "k1", "list": [1]}
    assert new["public_key"] == "k2"
    assert new["a.client_secret"].startswith("sha256:")
    assert new["token"].startswith("sha256:")
    assert len(new["a.url"]) < 1100
    sealed = Sealer([bytes(32)]).seal("text", "context")
    _, new = differences({}, {"innocent": sealed, "listed": [{"innocent": sealed}]})
    assert sealed not in str(new)


async def test_filters_pages_and_cursors(api: Api) -> None:
    for n in range(5):
        await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"], "name": str(n)})
    assert {one["action"] for one in await entries(api, action="createClient")} == {"createClient"}
    assert await entries(api, clientId="nobody") == []
    assert await entries(api, to="2020-01-01") == []
    numbers, cursor = [], ""
    while True:
        query = {"action": "createClient", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        body = await api.json("GET", PATH, 200, params=query)
        numbers += [one["n"] for one in body["data"]]
        if not body["nextCursor"]:
            break
        cursor = body["nextCursor"]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 5
    for bad in (f"limit=0&cursor={cursor}", "limit=x"):
        await api.refused("GET", f"{PATH}?{bad}", 400, "invalid_parameter", "limit")
    for bad in (f"cursor={cursor}", f"action=pauseLane&cursor={cursor}", "cursor=!", "cursor=AAAA"):
        await api.refused("GET", f"{PATH}?{bad}", 400, "invalid_cursor", "cursor")


NOTED = {
    "POST /graphql",
    "POST /v1/clients",
    "PATCH /v1/clients/{clientId}",
    "DELETE /v1/clients/{clientId}",
    "POST /v1/clients/{clientId}/rotate",
    "POST /v1/events/{id}/redeliver",
    "POST /v1/events/{id}/deliver-now",
    "DELETE /v1/events/{id}/payload",
    "POST /v1/events/{id}/resolve",
    "POST /v1/event-types/{type}/pause",
    "POST /v1/event-types/{type}/resume",
    "POST /v1/lanes/pause",
    "POST /v1/lanes/resume",
    "POST /v1/lanes/{integrationId}/pause",
    "POST /v1/lanes/{integrationId}/resume",
    "POST /v1/redeliveries",
    "DELETE /v1/redeliveries/{id}",
    "POST /v1/definitions/{id}/suspended-urls/{type}/enable",
    "POST /v1/definitions/{id}/portal-links",
    "DELETE /v1/definitions/{id}/portal-links",
    "POST /v1/definitions",
    "PATCH /v1/definitions/{id}",
    "DELETE /v1/definitions/{id}",
    "POST /v1/definitions/{id}/publish",
    "POST /v1/definitions/{id}/link",
    "POST /v1/definitions/{id}/unlink",
    "POST /v1/status/problems/{problemId}/acknowledge",
}
"""Tried above, in ``test_operations`` and ``test_definitions``; those of ``CHANGES`` beside what is installed."""


EVENTS = {
    "POST /v1/events",
    "POST /v1/events/batch",
    "POST /api/integration/v1/events/{id}/result",
    "PUT /v1/integrations/{_id}/installer/{function}",
}
"""Traffic is no change by hand: it is kept as events and attempts."""


def test_every_route_that_changes_something_is_noted_or_is_an_event() -> None:
    changing = {f"{r.method} {r.path}" for r in api_routes() if r.scopes is not None and r.method != "GET"}
    assert changing == NOTED | set(CHANGES) | EVENTS, (
        "note it with dispatcher.api.auditing.noted, try it here, then list it"
    )


async def test_ft18_a_lane_can_be_paused_and_is_noted_when_redis_is_full(api: Api) -> None:
    lane = (await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200))["integrationId"]
    await api.redis.config_set("maxmemory", "1mb")
    try:
        await api.json("POST", f"/v1/lanes/{lane}/pause", 200)
        refused = await api.ask("POST", "/v1/clients", json={"scopes": ["events:read"]})
        assert refused.status == 503
    finally:
        await api.redis.config_set("maxmemory", "0")
    assert (await newest(api))["action"] == "pauseLane"


async def test_a_token_that_its_own_client_gives_back_is_no_change(api: Api) -> None:
    before = await newest(api)
    headers = basic(ADMIN_ID, ADMIN_SECRET)
    token = await api.token()
    assert (await api.http.post("/oauth2/revoke", data={"token": token}, headers=headers)).status == 200
    refused = await api.http.get("/v1/events", headers={"Authorization": f"Bearer {token}"})
    assert refused.status == 401
    assert await newest(api) == before


async def test_a_token_is_revoked_by_no_other_client(api: Api) -> None:
    made = await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"]})
    token = await api.token(made["clientId"], made["clientSecret"])
    await api.http.post("/oauth2/revoke", data={"token": token}, headers=basic(ADMIN_ID, ADMIN_SECRET))
    kept = await api.http.get("/v1/events", headers={"Authorization": f"Bearer {token}"})
    assert kept.status == 200

"""Views of operators: the queue, lanes, clients."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.clock import iso_ms
from dispatcher.model.integration import Revision
from dispatcher.model.status import Status
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, PRODUCT, Api, Start, publish
from tests.api.worker_hand import WorkerHand
from tests.cli.in_process import dispatcher

COUNTS = ("ready", "waiting", "scheduled", "inFlight", "deadLetters")
QUEUE = {*COUNTS, "oldestReadySeconds", "partitions", "lanes", "workers"}


async def integration_id(api: Api) -> str:
    made = await api.emit(accountId=None)
    return str((await api.json("GET", f"/v1/events/{made['id']}", 200))["integrationId"])


async def test_queue_counts_what_is_there(api: Api) -> None:
    first = await api.emit(accountId="A")
    await api.emit(accountId="A")
    later, dead = await api.emit(accountId="B"), await api.emit(accountId="C")
    hand = WorkerHand(api)
    await hand.settle(later["id"], Status.RETRYING, delay_ms=60_000)
    await hand.settle(dead["id"], Status.DEAD)
    queue = await api.json("GET", "/v1/queue", 200)
    assert set(queue) >= QUEUE
    counts = {name: queue[name] for name in COUNTS}
    assert counts == {"ready": 1, "waiting": 1, "scheduled": 1, "inFlight": 0, "deadLetters": 1}
    assert len(queue["partitions"]) == 4
    (lane,) = [lane for lane in queue["lanes"] if lane["ready"]]
    assert (lane["waiting"], lane["paused"]) == (1, False)
    await hand.claim(first["id"])
    assert (await api.json("GET", "/v1/queue?lanes=0", 200))["inFlight"] == 1


async def test_lane_count_has_bounds(api: Api) -> None:
    await api.refused("GET", "/v1/queue?lanes=-1", 400, "invalid_parameter", "lanes")


async def test_a_lane_is_paused_and_resumed_by_any_of_its_ids(api: Api) -> None:
    integration = await publish(api.services, Revision(urls={}), products=("P-9",))
    made = await api.emit(productId="P-9")
    body = await api.json("POST", f"/v1/lanes/{integration.app_market_id}/pause", 200)
    pause = {"by": ADMIN_ID, "reason": None, "until": None}
    assert body == {"integrationId": integration.id, "paused": True, "pause": pause}
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert why["reason"] == "paused"
    body = await api.json("POST", f"/v1/lanes/{integration.id}/resume", 200)
    assert body == {"integrationId": integration.id, "paused": False, "pause": None}
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert why["reason"] != "paused"


async def test_a_pause_says_by_whom_why_and_until_when(api: Api) -> None:
    made = await api.emit()
    lane = (await api.json("GET", f"/v1/events/{made['id']}", 200))["integrationId"]
    body = await api.json("POST", f"/v1/lanes/{lane}/pause", 200, json={"reason": "deploy", "for": "2h"})
    until = "2027-01-15T10:00:00.000Z"
    assert body["pause"] == {"by": ADMIN_ID, "reason": "deploy", "until": until}
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert (why["reason"], why["until"]) == ("paused", until)
    assert f"by {ADMIN_ID}: deploy" in why["text"]
    (shown,) = (await api.json("GET", "/v1/queue", 200))["lanes"]
    since = shown["pause"].pop("since")
    assert (shown["paused"], shown["pause"]) == (True, body["pause"])
    again = await api.json("POST", f"/v1/lanes/{lane}/pause", 200, json={"until": "2027-01-16T00:00:00Z"})
    assert again["pause"] == {"by": ADMIN_ID, "reason": None, "until": "2027-01-16T00:00:00.000Z"}
    (shown,) = (await api.json("GET", "/v1/queue", 200))["lanes"]
    assert shown["pause"]["since"] == since
    entry = (await api.json("GET", "/v1/audit", 200))["data"][1]
    assert entry["after"] == {"paused": True, "reason": "deploy", "until": until}
    await api.json("POST", f"/v1/lanes/{lane}/resume", 200)
    (shown,) = (await api.json("GET", "/v1/queue", 200))["lanes"]
    assert (shown["paused"], shown["pause"]) == (False, None)


async def test_everything_is_paused_and_resumed_at_once(api: Api) -> None:
    await publish(api.services, Revision(urls={}), products=("P-9",))
    made = [await api.emit(productId=product) for product in (PRODUCT, "P-9")]

    async def reasons() -> list[str]:
        return [(await api.json("GET", f"/v1/events/{one['id']}/explain", 200))["reason"] for one in made]

    body = await api.json("POST", "/v1/lanes/pause", 200, json={"reason": "move", "for": "2h"})
    assert body == {"paused": 2, "pause": {"by": ADMIN_ID, "reason": "move", "until": "2027-01-15T10:00:00.000Z"}}
    assert await reasons() == ["paused", "paused"]
    entry = (await api.json("GET", "/v1/audit?action=pauseAllLanes", 200))["data"][0]
    assert (entry["objectId"], entry["after"]["reason"]) == ("*", "move")
    lane = (await api.json("GET", f"/v1/events/{made[0]['id']}", 200))["integrationId"]
    await api.json("POST", f"/v1/lanes/{lane}/resume", 200)
    assert await api.json("POST", "/v1/lanes/resume", 200) == {"resumed": 1, "matched": 1, "waiting": 1}
    assert "paused" not in await reasons()


async def test_a_vendor_pauses_all_that_is_its_own(api: Api) -> None:
    made = await api.emit()
    client, secret = await api.services.clients.create(frozenset({"ops:write"}), "v", None, 0, vendor_id="V-1")
    body = await api.json("POST", "/v1/lanes/pause", 200, headers=await api.bearer(client.client_id, secret))
    assert body["paused"] == 0
    assert (await api.json("GET", f"/v1/events/{made['id']}/explain", 200))["reason"] != "paused"


async def test_a_type_is_paused_everywhere_and_resumed(api: Api) -> None:
    made, other = await api.emit(), await api.emit(type="upgrade", accountId="B")

    async def reason(event: dict[str, str]) -> str:
        return str((await api.json("GET", f"/v1/events/{event['id']}/explain", 200))["reason"])

    body = await api.json("POST", "/v1/event-types/create/pause", 200, json={"reason": "deploy", "for": "2h"})
    pause = {"by": ADMIN_ID, "reason": "deploy", "until": "2027-01-15T10:00:00.000Z"}
    assert body == {"type": "SUBSCRIPTION_ORDER", "paused": True, "pause": pause}
    assert (await reason(made), await reason(other)) == ("type_paused", "no_worker")
    found = (await api.json("GET", "/v1/events?q=reason:type_paused", 200))["data"]
    assert [one["id"] for one in found] == [made["id"]]
    (held,) = (await api.json("GET", "/v1/queue", 200))["pausedTypes"]
    assert (held["type"], held["reason"], held["until"]) == ("SUBSCRIPTION_ORDER", "deploy", pause["until"])
    said = (await api.json("GET", "/v1/status", 200))["problems"]
    (problem,) = [one for one in said if one["kind"] == "paused"]
    assert problem["text"].startswith(f"SUBSCRIPTION_ORDER is paused everywhere by {ADMIN_ID} since")
    assert problem["actions"][0]["command"] == "dispatcher resume --type SUBSCRIPTION_ORDER"
    await api.json("POST", problem["actions"][0]["path"], 200)
    assert await reason(made) == "no_worker"
    actions = [one["action"] for one in (await api.json("GET", "/v1/audit", 200))["data"]]
    assert actions[:2] == ["resumeType", "pauseType"]
    await api.refused("POST", "/v1/event-types/nothing/pause", 404, "not_found", "type")


@pytest.mark.parametrize("given", [(), ("Acme", "--all"), ("--all", "--type", "create")])
@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_the_verbs_take_one_integration_or_all(
    capsys: pytest.CaptureFixture[str], verb: str, given: tuple[str, ...]
) -> None:
    access = ("--url", "http://127.0.0.1:9", "--client-id", "a", "--client-secret", "b")
    ended = dispatcher(capsys, verb, *given, *access)
    assert (ended.status, "give one of: an integration, --type or --all" in ended.err) == (2, True)


async def test_the_verbs_pause_and_resume_all(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    access = ("--url", str(api.http.make_url("")), "--client-id", ADMIN_ID, "--client-secret", ADMIN_SECRET)
    paused = await asyncio.to_thread(dispatcher, capsys, "pause", "--all", "--reason", "move", *access)
    assert (paused.status, "1 integration paused until somebody resumes it" in paused.out) == (0, True)
    await api.emit()
    counted = await api.json("POST", "/v1/lanes/resume", 200, json={"dryRun": True})
    assert counted == {"resumed": 0, "matched": 1, "waiting": 1}
    resumed = await asyncio.to_thread(dispatcher, capsys, "resume", "--all", *access)
    assert (resumed.status, "1 integration resumed" in resumed.out) == (0, True)
    paused = await asyncio.to_thread(dispatcher, capsys, "pause", "--type", "create", "--for", "2h", *access)
    assert (paused.status, "SUBSCRIPTION_ORDER paused until 2027" in paused.out) == (0, True)
    resumed = await asyncio.to_thread(dispatcher, capsys, "resume", "--type", "CREATE", *access)
    assert (resumed.status, "SUBSCRIPTION_ORDER resumed" in resumed.out) == (0, True)


BAD_PAUSES = [
    ({"for": "soon"}, "invalid_value", "for"),
    ({"for": "0m"}, "invalid_value", "for"),
    ({"for": "91d"}, "invalid_value", "for"),
    ({"for": "2h", "until": "2027-02-01T00:00:00Z"}, "invalid_value", "until"),
    ({"until": "2020-01-01T00:00:00Z"}, "invalid_value", "until"),
    ({"until": "2030-01-01T00:00:00Z"}, "invalid_value", "until"),
    ({"until": "soon"}, "invalid_value", "until"),
    ({"reason": ""}, "invalid_value", "reason"),
    ({"reason": "a\nb"}, "invalid_value", "reason"),
    ({"why": "deploy"}, "unknown_field", "why"),
]


@pytest.mark.parametrize(("body", "code", "field"), BAD_PAUSES)
async def test_bad_pauses_are_refused_and_nothing_is_paused(api: Api, body: object, code: str, field: str) -> None:
    made = await api.emit()
    lane = (await api.json("GET", f"/v1/events/{made['id']}", 200))["integrationId"]
    await api.refused("POST", f"/v1/lanes/{lane}/pause", 422, code, field, json=body)
    assert (await api.json("GET", f"/v1/events/{made['id']}/explain", 200))["reason"] != "paused"


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_unknown_lane_is_not_found(api: Api, verb: str) -> None:
    await api.refused("POST", f"/v1/lanes/nobody/{verb}", 404, "not_found", "integrationId")


async def test_client_lives_from_creation_to_disabling(api: Api) -> None:
    made = await api.json(
        "POST", "/v1/clients", 201, json={"scopes": ["events:read"], "name": "shop", "accountId": "A"}
    )
    secret = made.pop("clientSecret")
    assert len(secret) >= 43
    assert made == {
        "clientId": made["clientId"],
        "name": "shop",
        "scopes": ["events:read"],
        "accountId": "A",
        "vendorId": None,
        "rate": None,
        "marketplaces": None,
        "disabled": False,
        "publicKey": None,
        "createdOn": int(api.clock.now_s * 1000),
        "createdAt": iso_ms(int(api.clock.now_s * 1000)),
    }
    path = f"/v1/clients/{made['clientId']}"
    assert await api.json("GET", path, 200) == made
    assert made in (await api.json("GET", "/v1/clients", 200))["data"]
    await api.token(made["clientId"], secret)
    rotated = await api.json("POST", f"{path}/rotate", 200)
    await api.token(made["clientId"], rotated["clientSecret"])
    assert (await api.ask("DELETE", path)).status == 204
    assert (await api.json("GET", path, 200))["disabled"] is True


BAD_CLIENTS = [
    ({}, 422, "missing_field", "scopes"),
    ({"scopes": []}, 422, "invalid_value", "scopes"),
    ({"scopes": ["root"]}, 422, "unknown_scope", "scopes"),
    ({"scopes": ["ROLE_APPLICATION"]}, 422, "unknown_scope", "scopes"),
    ({"scopes": "events:read"}, 422, "wrong_type", "scopes"),
    ({"scopes": ["events:read"], "secret": "x"}, 422, "unknown_field", "secret"),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), BAD_CLIENTS)
async def test_bad_clients_are_refused(api: Api, body: object, status: int, code: str, field: str) -> None:
    await api.refused("POST", "/v1/clients", status, code, field, json=body)


async def test_nobody_gives_scopes_that_they_do_not_have(api: Api) -> None:
    headers = await api.bearer_of_new("clients:admin")
    body = {"scopes": ["events:write"]}
    assert api.services.deployment.client_rate == 0
    await api.refused("POST", "/v1/clients", 403, "scope_not_yours", "scopes", json=body, headers=headers)
    await api.json("POST", "/v1/clients", 201, json={"scopes": ["clients:admin"]}, headers=headers)


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/rotate")])
async def test_unknown_client_is_not_found(api: Api, method: str, suffix: str) -> None:
    await api.refused(method, f"/v1/clients/nobody{suffix}", 404, "not_found")


async def test_no_secret_of_a_client_is_in_the_store(start: Start) -> None:
    api = await start()
    made = await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"]})
    async for key in api.redis.scan_iter():
        dumped = await api.redis.dump(key)
        assert made["clientSecret"].encode() not in dumped

"""The audit log: every change by hand is in it, in one step with the change, chained, and without a secret."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import orjson
import pytest
import redis as redis_sync
from redis.asyncio import Redis

from dispatcher.api.table import api_routes
from dispatcher.cli.main import main
from dispatcher.errors import StoreDamaged, StoreUnavailable
from dispatcher.model.audit_entry import Author, Deed
from dispatcher.model.integration import Revision
from dispatcher.model.status import Status
from dispatcher.policy.differences import differences
from dispatcher.store import audit_log
from dispatcher.store.audit_log import DAY_MS, HEAD, STREAM, AuditLog
from dispatcher.store.audit_reading import AuditReader, Kept
from dispatcher.store.connection import connect
from dispatcher.store.doctor import Level, examine
from dispatcher.store.sealing import Sealer, new_key
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, Start, basic, publish
from tests.api.tenants import Tenant, settle_in
from tests.api.test_tenants import MUTATIONS
from tests.api.worker_hand import WorkerHand

PATH = "/v1/audit"
DEED = Deed(Author("someone", ("ops:write",), "192.0.2.1", "r-1"), "pauseLane", "lane", "L", 1_800_000_000_000)


async def entries(api: Api, **query: str) -> list[dict[str, Any]]:
    """Newest first."""
    body = await api.json("GET", PATH, 200, params=query)
    return list(body["data"])


async def newest(api: Api) -> dict[str, Any]:
    return (await entries(api))[0]


async def admin(api: Api) -> Tenant:
    return await settle_in(WorkerHand(api), api, None, "P-1", "A-1")


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
    ):
        assert (await api.ask(method, path)).status < 300
        entry = await newest(api)
        assert (entry["action"], entry["objectId"], entry["outcome"]) == (action, object_id, "requested")
    started = await api.json("POST", "/v1/redeliveries", 202, json={"filter": {"accountId": "A-1"}})
    entry = await newest(api)
    assert (entry["action"], entry["objectId"]) == ("redeliverEvents", started["id"])
    assert entry["after"] == {"filter": {"accountId": "A-1"}, "matched": 0}


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
    await api.json("POST", "/v1/redeliveries", 202, json={"filter": {}, "dryRun": True})
    for path in ("/v1/events", "/v1/queue", "/v1/clients", PATH):
        await api.json("GET", path, 200)
    assert await newest(api) == before


async def test_nothing_is_changed_when_nothing_can_be_written_down(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = (await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200))["integrationId"]

    async def away(log: AuditLog, deed: Deed, write: object) -> bool:
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


async def written(redis: Redis, count: int) -> AuditLog:
    log = AuditLog(redis)
    for _ in range(count):
        await log.append(DEED)
    return log


async def test_an_unbroken_chain_verifies(redis: Redis) -> None:
    assert (await AuditReader(redis).verify()).entries == 0
    await written(redis, 3)
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.first, verdict.head.n, verdict.broken) == (3, 1, 3, ())


async def tampered(redis: Redis, position: bytes, change: Any) -> None:
    """Rewrite the stream with one entry changed, left out (None) or doubled, as somebody with a shell could."""
    rows = await redis.xrange(STREAM)
    await redis.delete(STREAM)
    for at, fields in rows:
        for text in change(fields[b"e"]) if at == position else [fields[b"e"]]:
            await redis.xadd(STREAM, {"e": text})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: [text.replace(b"pauseLane", b"resumeLane")], "entry 2 was changed"),
        (lambda text: [], "entries 2 to 2 are missing"),
        (lambda text: [text, text], "one of them was added"),
        (lambda text: [b"nonsense"], "is no audit entry"),
        (lambda text: [b'{"n": 2, "previous": ""}'], "is no audit entry"),
    ],
    ids=["changed", "removed", "added", "garbage", "fields"],
)
async def test_a_chain_that_somebody_rewrote_is_told(redis: Redis, change: Any, told: str) -> None:
    await written(redis, 3)
    await tampered(redis, (await redis.xrange(STREAM))[1][0], change)
    verdict = await AuditReader(redis).verify()
    assert not verdict.well
    assert any(told in text for text in verdict.broken), verdict.broken


async def test_an_end_that_was_cut_off_or_changed_is_told(redis: Redis) -> None:
    await written(redis, 3)
    last = (await redis.xrange(STREAM))[-1]
    await redis.xdel(STREAM, last[0])
    assert "entries 3 to 3 are missing" in (await AuditReader(redis).verify()).broken[0]
    await redis.xadd(STREAM, {"e": last[1][b"e"].replace(b"someone", b"anyone!")})
    assert "entry 3 is not the one" in (await AuditReader(redis).verify()).broken[0]


async def test_a_beginning_that_was_cut_off_is_told(redis: Redis) -> None:
    kept = Kept(365 * DAY_MS, 100_000)
    await written(redis, 3)
    assert (await AuditReader(redis).verify(kept)).well
    await redis.xdel(STREAM, (await redis.xrange(STREAM, count=1))[0][0])
    verdict = await AuditReader(redis).verify(kept)
    assert len(verdict.broken) == 1
    assert "entries 1 to 1 are missing at the beginning" in verdict.broken[0]
    assert (await AuditReader(redis).verify(Kept(365 * DAY_MS, 2))).well


async def test_a_beginning_that_was_old_enough_to_go_is_no_break(redis: Redis) -> None:
    await written(redis, 2)
    await asyncio.sleep(0.05)
    await written(redis, 1)
    for _ in range(2):
        await redis.xdel(STREAM, (await redis.xrange(STREAM, count=1))[0][0])
    assert (await AuditReader(redis).verify(Kept(40, 100_000))).well
    assert not (await AuditReader(redis).verify(Kept(DAY_MS, 100_000))).well


@pytest.mark.parametrize("garbage", ["garbage", "3", "x:y", "3:" + "z" * 64, b"\xff\xfe", "-1:" + "0" * 64])
async def test_a_damaged_head_is_told_with_its_remedy(redis: Redis, garbage: str | bytes) -> None:
    log = await written(redis, 3)
    newest = (await redis.get(HEAD)).decode()
    await redis.set(HEAD, garbage)
    for one in (log, AuditLog(redis)):
        with pytest.raises(StoreDamaged, match="audit-log --verify"):
            await one.append(DEED)
    assert await redis.xlen(STREAM) == 3
    told = (await AuditReader(redis).verify()).broken
    assert len(told) == 1
    assert f"SET '{HEAD}' {newest}`" in told[0]
    await redis.set(HEAD, newest)
    await log.append(DEED)
    assert (await AuditReader(redis).verify()).well


async def test_changes_are_refused_while_the_head_is_damaged(api: Api) -> None:
    lane = (await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200))["integrationId"]
    await api.redis.set(HEAD, "garbage")
    await api.refused("POST", f"/v1/lanes/{lane}/pause", 503, "store_damaged")
    await api.refused("POST", "/v1/clients", 503, "store_damaged", json={"scopes": ["events:read"]})
    query = 'mutation { createProductIntegration(input: { name: "n" }) { userErrors { code } } }'
    answer = await api.ask("POST", "/graphql", json={"query": query})
    assert (answer.status, "audit-log --verify" in await answer.text()) == (503, True)
    check = next(one for one in await examine(api.redis, 16, []) if one.name == "audit log")
    assert (check.level, "audit-log --verify" in check.text) == (Level.FAIL, True)
    await api.emit()


async def test_entries_of_several_processes_make_one_chain(redis: Redis, redis_url: str) -> None:
    others = [connect(redis_url) for _ in range(4)]
    logs = [AuditLog(other) for other in others]
    await asyncio.gather(*(log.append(DEED) for log in logs for _ in range(25)))
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.broken) == (100, ())
    for other in others:
        await other.aclose()


async def test_changes_of_several_processes_are_each_made_once(start: Start, redis: Redis) -> None:
    apis = [await start() for _ in range(3)]
    made = await publish(apis[0].services, Revision(urls={"createUrl": "https://host.example/hook"}))

    async def rename(api: Api, n: int) -> None:
        given = f'input: {{ id: "{made.id}", name: "{n}" }}'
        query = f"mutation {{ updateProductIntegration({given}) {{ userErrors {{ code }} }} }}"
        body = await api.json("POST", "/graphql", 200, json={"query": query})
        assert body["data"]["updateProductIntegration"]["userErrors"] == [], body

    await asyncio.gather(*(rename(api, 3 * n + i) for i, api in enumerate(apis) for n in range(4)))
    found = [orjson.loads(fields[b"e"]) for _, fields in await redis.xrange(STREAM)]
    names = [one["after"]["name"] for one in found if one["action"] == "updateProductIntegration"]
    assert sorted(names, key=int) == [str(n) for n in range(12)]
    final = await apis[0].services.definitions.needed(made.id)
    assert final.name == names[-1]
    assert (await AuditReader(redis).verify()).well


async def test_a_change_behind_one_that_hangs_is_refused_in_time(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "TURN_S", 0.1)
    log, never = AuditLog(redis), asyncio.Event()

    async def hang(arguments: object) -> int:
        await never.wait()
        return 1

    first = asyncio.create_task(log.chained(DEED, hang))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await log.append(DEED)
    never.set()
    assert await first
    await log.append(DEED)


async def test_old_and_superfluous_entries_go_and_the_rest_still_verifies(redis: Redis) -> None:
    log = AuditLog(redis, kept_entries=100)
    for _ in range(400):
        await log.append(DEED)
    kept = await redis.xlen(STREAM)
    assert 100 <= kept < 400
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.first, verdict.head.n, verdict.broken) == (kept, 401 - kept, 400, ())
    await redis.delete(STREAM, HEAD)
    brief = AuditLog(redis, kept_ms=0)
    for _ in range(250):
        await brief.append(DEED)
    await asyncio.sleep(1.1)
    for _ in range(110):
        await brief.append(DEED)
    assert await redis.xlen(STREAM) < 300


NOTED = {
    "POST /graphql",
    "POST /v1/clients",
    "PATCH /v1/clients/{clientId}",
    "DELETE /v1/clients/{clientId}",
    "POST /v1/clients/{clientId}/rotate",
    "POST /v1/events/{id}/redeliver",
    "POST /v1/events/{id}/resolve",
    "POST /v1/lanes/{integrationId}/pause",
    "POST /v1/lanes/{integrationId}/resume",
    "POST /v1/redeliveries",
}
"""Tried above, one by one."""
EVENTS = {"POST /v1/events", "POST /v1/events/batch", "POST /api/integration/v1/events/{id}/result"}
"""What flows through is no change by hand: it is kept as events and attempts."""


def test_every_route_that_changes_something_is_noted_or_is_an_event() -> None:
    changing = {f"{r.method} {r.path}" for r in api_routes() if r.scopes is not None and r.method != "GET"}
    assert changing == NOTED | EVENTS, "note it with dispatcher.api.auditing.noted, try it here, then list it"


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


def run_verb(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_the_command_line_notes_shows_and_verifies(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    status, out, _ = run_verb(capsys, "clients", "create", "--role", "viewer", "--rate", "5")
    made = json.loads(out)
    assert (status, set(made)) == (0, {"clientId", "clientSecret"})
    assert run_verb(capsys, "clients", "disable", made["clientId"])[0] == 0
    status, out, _ = run_verb(capsys, "audit-log", "--json", "--object", made["clientId"])
    found = json.loads(out)
    assert (status, [one["action"] for one in found]) == (0, ["disableClient", "createClient"])
    assert found[0]["client"].startswith("cli:")
    assert found[1]["after"]["rate_per_s"] == 5
    status, out, _ = run_verb(capsys, "audit-log", "--verify")
    assert (status, "2 entries, 1 to 2: unbroken" in out) == (0, True)
    with redis_sync.Redis(unix_socket_path=redis_url.removeprefix("unix://")) as client:
        client.xdel(STREAM, client.xrange(STREAM)[-1][0])
        status, _, err = run_verb(capsys, "audit-log", "--verify", "--json")
        assert (status, err) == (1, "")
        client.set(HEAD, "garbage")
        status, out, err = run_verb(capsys, "audit-log", "--verify")
        assert (status, "BROKEN" in out, "redis-cli SET" in err) == (1, True, True)


def test_sealing_again_by_hand_is_noted_once_with_its_counts_and_a_dry_run_is_not(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", new_key())
    assert run_verb(capsys, "secrets", "reseal", "--dry-run")[0] == 0
    assert json.loads(run_verb(capsys, "audit-log", "--json")[1]) == []
    assert run_verb(capsys, "secrets", "reseal")[0] == 0
    (entry,) = json.loads(run_verb(capsys, "audit-log", "--json")[1])
    assert (entry["action"], entry["kind"], entry["outcome"]) == ("resealSecrets", "secrets", "done")
    assert entry["after"] == {"values": 0, "resealed": 0, "stale": 0, "problems": 0}
    assert entry["client"].startswith("cli:")


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--role", "publisher"], "name it with --vendor"),
        (["--role", "account-user"], "name it with --account"),
        (["--role", "product-host"], "generateProductIntegrationInboundClient"),
        ([], "give at least one --scope"),
    ],
)
def test_a_role_that_cannot_be_given_is_a_usage_error(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run_verb(capsys, "clients", "create", *arguments)
    assert (status, told in err) == (2, True), err

"""What operators see: the queue, lanes, metrics, clients."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.model.integration import Revision
from dispatcher.model.latency import BUCKET_NAMES, LATENCY_BUCKETS_S, HistogramNames
from dispatcher.model.queue import QueueOverview
from dispatcher.model.status import Status
from dispatcher.telemetry.metrics import exposition
from tests.api.conftest import Api, Start, publish
from tests.api.worker_hand import WorkerHand

COUNTS = ("ready", "waiting", "scheduled", "inFlight", "deadLetters")
QUEUE = {*COUNTS, "oldestReadySeconds", "partitions", "lanes", "workers"}
DURATIONS = [(0, "0.005"), (0.005, "0.005"), (0.006, "0.01"), (3600, "3600"), (1e9, "inf")]


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
    assert body == {"integrationId": integration.id, "paused": True}
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert why["reason"] == "paused"
    body = await api.json("POST", f"/v1/lanes/{integration.id}/resume", 200)
    assert body == {"integrationId": integration.id, "paused": False}
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert why["reason"] != "paused"


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_unknown_lane_is_not_found(api: Api, verb: str) -> None:
    await api.refused("POST", f"/v1/lanes/nobody/{verb}", 404, "not_found", "integrationId")


async def samples(api: Api) -> dict[str, float]:
    answer = await api.http.get("/metrics")
    assert answer.status == 200
    text = await answer.text()
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {s.name + "".join(f"[{v}]" for v in s.labels.values()): s.value for s in found}


NAMES = [
    "dispatcher_events_accepted_total",
    "dispatcher_attempts_total[OK]",
    "dispatcher_attempt_seconds_bucket[+Inf]",
    "dispatcher_delivery_latency_seconds_count",
    "dispatcher_queue_ready",
    "dispatcher_queue_waiting",
    "dispatcher_queue_scheduled",
    "dispatcher_queue_in_flight",
    "dispatcher_queue_oldest_ready_seconds",
    "dispatcher_dead_letters",
    "dispatcher_token_requests_total[failed]",
    "dispatcher_circuit_open",
    "dispatcher_sweep_repairs_total[lane]",
]


async def test_every_promised_metric_is_there_from_the_start(api: Api) -> None:
    assert set(NAMES) <= set(await samples(api))


def test_every_kind_of_repair_has_its_value_from_the_start() -> None:
    scripts = files("dispatcher.store").joinpath("lua/queue").iterdir()
    lines = [line for file in scripts for line in file.read_text().splitlines()]
    counted = [line for line in lines if "repaired(" in line or "'repairs:" in line]
    kinds = {kind.removeprefix("repairs:") for line in counted for kind in re.findall(r"'([a-z:]+)'", line)} - {""}
    overview = QueueOverview(0, 0, 0, 0, 0, 0, 0, 0.0, 0, [], [], [])
    shown = re.findall(r'dispatcher_sweep_repairs_total{kind="(\w+)"} 0', exposition(overview, {}).decode())
    assert kinds == set(shown)
    assert "counter" in kinds


async def test_metrics_match_what_happened(api: Api) -> None:
    await api.emit(accountId="A")
    dead = await api.emit(accountId="B")
    await WorkerHand(api).settle(dead["id"], Status.DEAD)
    found = await samples(api)
    assert found["dispatcher_events_accepted_total"] == 2
    assert found["dispatcher_events_terminal_total[DEAD]"] == 1
    assert found["dispatcher_queue_ready"] == 1
    assert found["dispatcher_dead_letters"] == 1


def test_histograms_are_cumulative_and_have_every_bucket() -> None:
    overview = QueueOverview(0, 0, 0, 0, 0, 0, 0, 0.0, 0, [], [], [])
    counters = {"attempt_seconds:le:0.005": 2, "attempt_seconds:le:inf": 1, "attempt_seconds:sum_us": 2_500_000}
    text = exposition(overview, counters).decode()
    values = re.findall(r'dispatcher_attempt_seconds_bucket{le="([^"]+)"} ([\d.]+)', text)
    assert [bound for bound, _ in values] == [*BUCKET_NAMES[:-1], "+Inf"]
    assert [float(value) for _, value in values] == [2.0] * len(LATENCY_BUCKETS_S) + [3.0]
    assert "dispatcher_attempt_seconds_count 3.0" in text
    assert "dispatcher_attempt_seconds_sum 2.5" in text


@pytest.mark.parametrize(("seconds", "name"), DURATIONS)
def test_each_duration_has_one_bucket(seconds: float, name: str) -> None:
    assert HistogramNames("h").bucket(seconds) == f"h:le:{name}"


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
        "createdOn": int(api.clock.now_s * 1000),
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

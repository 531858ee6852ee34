"""The page of metrics: every figure of a scripted run, in both forms, and the same in ``/v1/queue``."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.api import health
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.integration import Revision
from dispatcher.model.latency import LATENCY_BUCKETS_S, HistogramNames
from dispatcher.model.queue import QueueOverview
from dispatcher.model.status import Status
from dispatcher.policy.figures.exemplars import Exemplar
from dispatcher.store.history.exemplars import ExemplarStore
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement
from dispatcher.telemetry.exposition import OPENMETRICS, TEXT, Form, form_for, page
from dispatcher.telemetry.metrics import families
from dispatcher.telemetry.store_metrics import store_families
from tests.api.conftest import Api, Start, publish
from tests.api.worker_hand import WorkerHand
from tests.hand_worker import HandWorker
from tests.store_commands import counted

NOTHING = QueueOverview(0, 0, 0, 0, 0, 0, 0, 0.0, 0, [], [], [])
DURATIONS = [(0, "0.005"), (0.005, "0.005"), (0.006, "0.01"), (3600, "3600"), (1e9, "inf")]
FAR_MS = 9_000_000_000_000
Samples = dict[str, float]


async def samples(api: Api) -> Samples:
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
    "dispatcher_queue_oldest_paused_seconds",
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
    shown = re.findall(r'dispatcher_sweep_repairs_total{kind="(\w+)"} 0', page(families(NOTHING, {})).decode())
    assert kinds == set(shown)
    assert "counter" in kinds


async def _failing_token(api: Api) -> None:
    """A second integration whose circuit is open: one of its attempts ended, and one token request failed."""
    await publish(api.services, Revision(urls={"createUrl": "https://other.example/"}), products=("P-2",))
    event = await api.emit(productId="P-2", accountId="Z")
    lane = str((await api.json("GET", f"/v1/events/{event['id']}", 200))["integrationId"])
    worker = HandWorker(api.redis, api.services.queue.partitions, name="other")
    claimed = await worker.take(event["id"])
    attempt = Attempt(1, 1, 30.0, "https://other.example/", Outcome.TOKEN_FAILED, None)
    counted = {"attempts:TOKEN_FAILED": 1, "tokens:failed": 1} | _observed("attempt_seconds", 0.03)
    settlement = Settlement(claimed, Status.RETRYING, 3_600_000, attempt, "TOKEN_FAILED", "no token")
    partition = worker.partition_of(event["id"])
    assert await worker.settle(partition, [settlement], [LaneSetting(lane, "circuit", FAR_MS)], counted=counted) == 1
    await worker.store.rest(partition, worker.generations[partition])


def _observed(histogram: str, seconds: float) -> dict[str, int]:
    names = HistogramNames(histogram)
    return {names.bucket(seconds): 1, names.sum_us: int(seconds * 1e6), names.count: 1}


async def test_every_figure_matches_a_scripted_run(api: Api) -> None:
    await _failing_token(api)
    hand = WorkerHand(api)
    for account, status in (("B", Status.DEAD), ("C", Status.SUCCEEDED), ("D", Status.AWAITING_RESULT)):
        event = await api.emit(accountId=account)
        await hand.settle(event["id"], status, delay_ms=3_600_000 if status is Status.AWAITING_RESULT else 0)
    flying = await api.emit(accountId="E")
    await hand.claim(flying["id"])
    await api.emit(accountId="A")
    await api.emit(accountId="A")
    found = await samples(api)
    expected = {
        "dispatcher_events_accepted_total": 7,
        "dispatcher_queue_ready": 1,
        "dispatcher_queue_waiting": 1,
        "dispatcher_queue_scheduled": 1,
        "dispatcher_queue_in_flight": 1,
        "dispatcher_queue_awaiting_result": 1,
        "dispatcher_dead_letters": 1,
        "dispatcher_circuit_open": 1,
        "dispatcher_queue_oldest_paused_seconds": 0,
        "dispatcher_events_terminal_total[DEAD]": 1,
        "dispatcher_events_terminal_total[SUCCEEDED]": 1,
        "dispatcher_attempts_total[TOKEN_FAILED]": 1,
        "dispatcher_token_requests_total[failed]": 1,
        "dispatcher_token_requests_total[ok]": 0,
        "dispatcher_attempt_seconds_bucket[0.025]": 0,
        "dispatcher_attempt_seconds_bucket[0.05]": 1,
        "dispatcher_attempt_seconds_sum": pytest.approx(0.03),
        "dispatcher_attempt_seconds_count": 1,
        "dispatcher_store_losses_total": 0,
        "dispatcher_workers": 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    queue = await api.json("GET", "/v1/queue", 200)
    same = {"ready": 1, "waiting": 1, "scheduled": 1, "inFlight": 1, "awaitingResult": 1, "deadLetters": 1}
    assert {name: queue[name] for name in same} == same
    assert queue["circuitsOpen"] == 1


async def test_the_oldest_due_event_is_none_of_a_paused_integration(api: Api) -> None:
    event = await api.emit(accountId="A")
    lane = (await api.json("GET", f"/v1/events/{event['id']}", 200))["integrationId"]
    await api.json("POST", f"/v1/lanes/{lane}/pause", 200)
    due = f"{{p{api.services.queue.partition_of(lane)}}}:d:{lane}"
    await api.redis.zadd(due, {event["id"]: 1_000})  # due for years
    queue = await api.json("GET", "/v1/queue", 200)
    assert (queue["oldestReadySeconds"], queue["oldestPausedSeconds"] > 1e6) == (0, True)
    found = await samples(api)
    assert found["dispatcher_queue_oldest_ready_seconds"] == 0
    assert found["dispatcher_queue_oldest_paused_seconds"] > 1e6


async def test_openmetrics_is_served_when_asked_for(api: Api) -> None:
    await api.emit()
    answer = await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0,*/*;q=0.1"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    text = await answer.text()
    assert text.endswith("# EOF\n")
    found = {family.name: family for family in openmetrics_families(text)}  # type: ignore[no-untyped-call]
    assert found["dispatcher_events_accepted"].samples[0].value == 1
    assert "dispatcher_store_losses" in found


async def test_exemplars_are_in_openmetrics_only(api: Api) -> None:
    now_ms, trace = api.clock.now_ms(), "4bf92f3577b34da6a3ce929d0e0e4736"
    bucket, old = (HistogramNames("attempt_seconds").bucket(seconds) for seconds in (0.03, 0.2))
    await api.redis.hset(queue_keys.counters(0), mapping=_observed("attempt_seconds", 0.03))  # type: ignore[misc]
    fresh = Exemplar(trace, 0.03, now_ms - 1000)
    await ExemplarStore(api.redis).write({bucket: fresh, old: Exemplar(trace, 0.2, now_ms - 7_200_000)})
    await api.redis.hset(deployment_keys.EXEMPLARS, "attempt_seconds:le:inf", "damaged")  # type: ignore[misc]
    answer = await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    families_found = openmetrics_families(await answer.text())  # type: ignore[no-untyped-call]
    shown = [
        (sample.labels["le"], sample.exemplar.labels, sample.exemplar.value)
        for family in families_found
        for sample in family.samples
        if sample.exemplar
    ]
    assert shown == [("0.05", {"trace_id": trace}, 0.03)]
    assert trace not in await (await api.http.get("/metrics")).text()


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text;version=\x00;q=0.5, text/plain", OPENMETRICS),
        ("application/openmetrics-text;q=0, text/plain", TEXT),
        (";,;,=", TEXT),
    ],
)
def test_form_follows_the_accept_header(accept: str, form: Form) -> None:
    assert form_for(accept) is form


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def test_nothing_changes_on_a_server_that_does_nothing(form: Form) -> None:
    pages = [page([*families(NOTHING, {}), *store_families(0.1, 0)], form) for _ in range(2)]
    assert pages[0] == pages[1]
    assert b"_created" not in pages[0]


def test_histograms_are_cumulative_and_have_every_bucket() -> None:
    counters = {"attempt_seconds:le:0.005": 2, "attempt_seconds:le:inf": 1, "attempt_seconds:sum_us": 2_500_000}
    text = page(families(NOTHING, counters)).decode()
    values = re.findall(r'dispatcher_attempt_seconds_bucket{le="([^"]+)"} ([\d.]+)', text)
    assert [float(bound) for bound, _ in values] == [*LATENCY_BUCKETS_S, float("inf")]
    assert [float(value) for _, value in values] == [2.0] * len(LATENCY_BUCKETS_S) + [3.0]
    assert "dispatcher_attempt_seconds_count 3.0" in text
    assert "dispatcher_attempt_seconds_sum 2.5" in text


@pytest.mark.parametrize(("seconds", "name"), DURATIONS)
def test_each_duration_has_one_bucket(seconds: float, name: str) -> None:
    assert HistogramNames("h").bucket(seconds) == f"h:le:{name}"


async def test_however_many_scrape_at_once_the_queue_is_counted_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "METRICS_AGE_S", 600.0)
    api = await start()
    async with counted(api.redis) as commands:
        pages = await asyncio.gather(*(api.http.get("/metrics") for _ in range(50)))
        assert {one.status for one in pages} == {200}
    assert commands.calls["scard"] == api.services.queue.partitions

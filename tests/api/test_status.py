"""The verdict over HTTP: each kind produced on purpose and named, who sees what, acknowledging, a store away."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.api.verdict_watch import VERDICT, VerdictWatch
from dispatcher.errors import StoreUnavailable
from dispatcher.ids import new_uuid
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration, Revision
from dispatcher.model.operational import OPERATIONS
from dispatcher.model.ping import PingResult, PingStatus, PingStep, PingTest, PingTrigger, PingVersion, StepName
from dispatcher.model.status import Status
from dispatcher.model.troubles import StuckJob
from dispatcher.policy.verdict.trends import Reading
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import installations as installation_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.owning.claims import LaneSetting, Settlement
from dispatcher.store.redis.server_time import server_now_ms
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, Start, publish
from tests.cli.in_process import dispatcher
from tests.events import event_of
from tests.hand_worker import HandWorker

PARTITIONS = 4
URL = "https://host.example/hook"


@dataclass
class Ward:
    """A running API whose workers are a test's hands."""

    api: Api
    lane: str
    worker: HandWorker

    @property
    def home(self) -> int:
        return self.api.services.queue.partition_of(self.lane)

    @property
    def redis(self) -> Redis:
        return self.api.redis

    @property
    def watch(self) -> VerdictWatch:
        assert self.api.http.server is not None
        return self.api.http.server.app[VERDICT]  # type: ignore[attr-defined, no-any-return]

    async def now(self) -> int:
        return await server_now_ms(self.redis)

    async def judged(self) -> Any:
        """The verdict on this moment."""
        await self.watch.evaluation.judge(out_of_turn=True)
        return await self.api.json("GET", "/v1/status", 200)

    async def named(self, kind: str) -> Any:
        """The problem of this kind."""
        found = [one for one in (await self.judged())["problems"] if one["kind"] == kind]
        assert len(found) == 1, found
        return found[0]

    async def kinds(self) -> set[str]:
        return {one["kind"] for one in (await self.judged())["problems"]}

    async def tries(self, outcome: Outcome, to: Status, times: int = 1, error: str | None = None) -> None:
        events = [event_of(self.lane, PARTITIONS, None) for _ in range(times)]
        await self.api.services.queue.accept(events)
        if self.home not in self.worker.generations:
            await self.worker.own(self.home)
        status = 500 if outcome is Outcome.HTTP_ERROR else None
        attempt = Attempt(1, 1, 1.0, URL, outcome, status)
        settlements = [
            Settlement(one, to, 3_600_000, attempt, "TRANSPORT_ERROR" if error else None, error)
            for one in (await self.worker.claim(self.home, 1000)).events
        ]
        await self.worker.settle(self.home, settlements)

    async def lane_says(self, **fields: int) -> None:
        if self.home not in self.worker.generations:
            await self.worker.own(self.home)
        await self.worker.settle(self.home, [], [LaneSetting(self.lane, name, value) for name, value in fields.items()])

    async def works(self) -> None:
        """A worker is heard of, and owns every partition."""
        now_ms = await self.now()
        await self.redis.zadd(deployment_keys.WORKERS, {"w1": now_ms})
        for partition in range(PARTITIONS):
            if partition not in self.worker.generations:
                await self.worker.own(partition)


@pytest.fixture
async def ward(start: Start) -> Ward:
    api = await start()
    made: Integration = await publish(api.services, Revision(urls={"createUrl": URL}), products=("P-1",))
    here = Ward(api, made.id, HandWorker(api.redis, PARTITIONS, lane_cap=2000))
    await here.works()
    return here


async def test_a_deployment_that_is_well_says_so_in_figures(ward: Ward) -> None:
    said = await ward.judged()
    assert said["ok"] is True
    assert said["problems"] == []
    assert said["text"].startswith("All is well: 0.0/s, oldest due 0.0 s")


async def test_an_open_circuit_is_named_with_what_waits_and_what_to_do(ward: Ward) -> None:
    await ward.tries(Outcome.CONNECT_FAILED, Status.RETRYING, 3, "no connection: Connection refused")
    now_ms = await ward.now()
    await ward.lane_says(circuit=now_ms + 30_000, opened=now_ms)
    problem = await ward.named("circuit_open")
    assert problem["severity"] == "act"
    assert problem["integrationId"] == ward.lane
    assert problem["waiting"] == 3
    assert "refuses connections since" in problem["text"]
    assert [one["name"] for one in problem["actions"]] == ["Try now", "Pause"]
    await ward.redis.hdel(queue_keys.lane(ward.home, ward.lane), "circuit", "opened")  # type: ignore[misc]
    assert (await ward.judged())["ok"] is True


async def test_a_host_that_answers_badly_is_failing(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    assert "answers 500 to all of 10 since" in (await ward.named("failing"))["text"]


async def test_three_token_failures_in_a_row_are_failing_credentials(ward: Ward) -> None:
    await ward.lane_says(failing=await ward.now())
    await ward.tries(Outcome.TOKEN_FAILED, Status.RETRYING, 2, "invalid_client")
    assert (await ward.judged())["problems"] == []
    await ward.tries(Outcome.TOKEN_FAILED, Status.RETRYING, 1, "invalid_client")
    assert "gets no token since" in (await ward.named("credentials_failing"))["text"]


async def test_a_suspended_url_is_named_until_it_is_enabled(ward: Ward) -> None:
    await ward.api.services.queue.suspend_url(ward.lane, URL)
    assert "answered 410 at" in (await ward.named("url_suspended"))["text"]
    await ward.api.json("POST", f"/v1/lanes/{ward.lane}/resume", 200)
    assert (await ward.judged())["problems"] == []


async def test_a_pause_is_good_to_know(ward: Ward) -> None:
    await ward.api.json("POST", f"/v1/lanes/{ward.lane}/pause", 200)
    problem = await ward.named("paused")
    assert problem["severity"] == "info"
    assert (await ward.judged())["ok"] is True


async def test_a_host_that_asked_for_less_is_slowed(ward: Ward) -> None:
    await ward.lane_says(slow=await ward.now() + 60_000)
    assert (await ward.named("slowed"))["severity"] == "info"


async def test_dead_letters_are_one_problem_and_silent_once_somebody_knows(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 30, "HTTP 503")
    problem = await ward.named("dead_letters")
    assert problem["text"].startswith("30 died since")
    assert problem["waiting"] == 30
    await ward.api.json("POST", "/v1/status/problems/dead_letters/acknowledge", 200)
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 503")
    assert "dead_letters" not in await ward.kinds()
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 1, "HTTP 500 of another cause")
    assert (await ward.named("dead_letters"))["text"].startswith("1 died since")


async def test_actions_are_lines_and_requests_that_run_as_they_are(
    ward: Ward, capsys: pytest.CaptureFixture[str]
) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 2, "HTTP 503")
    redeliver, acknowledge = (await ward.named("dead_letters"))["actions"]
    where = ("--url", str(ward.api.http.make_url("")), "--client-id", ADMIN_ID, "--client-secret", ADMIN_SECRET)
    name, *line = shlex.split(acknowledge["command"])
    assert name == "dispatcher"
    capsys.readouterr()
    ended = await asyncio.to_thread(dispatcher, capsys, *line, *where)
    assert (ended.status, f"acknowledged by {ADMIN_ID} at " in ended.out) == (0, True)
    assert "dead_letters" not in await ward.kinds()
    assert (await asyncio.to_thread(dispatcher, capsys, *line, *where)).status == 1
    job = await ward.api.json(redeliver["method"], redeliver["path"], 202, json=redeliver["body"])
    assert job["matched"] == 2


async def test_fifty_deaths_in_ten_minutes_page(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 50, "HTTP 503")
    assert (await ward.named("dead_letters"))["severity"] == "page"


async def test_an_acknowledged_problem_is_in_the_audit_log_and_needs_nobody(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    problem = await ward.named("failing")
    await ward.api.json("POST", f"/v1/status/problems/{problem['id']}/acknowledge", 200)
    said = await ward.api.json("GET", "/v1/status", 200)
    assert said["ok"] is True
    assert said["problems"][0]["severity"] == "info"
    assert said["problems"][0]["acknowledged"]["by"] == "admin"
    entry = (await ward.api.json("GET", "/v1/audit?action=acknowledgeProblem", 200))["data"][0]
    assert entry["objectId"] == problem["id"]


async def test_what_is_no_problem_cannot_be_acknowledged(ward: Ward) -> None:
    await ward.api.refused("POST", "/v1/status/problems/overdue/acknowledge", 404, "not_found", "problemId")


async def test_no_worker_is_named_with_what_waits(ward: Ward) -> None:
    await ward.api.emit()
    await ward.redis.zadd(deployment_keys.WORKERS, {"w1": await ward.now() - 11_000})
    problem = await ward.named("no_worker")
    assert (problem["severity"], problem["waiting"]) == ("page", 1)


async def test_a_partition_without_an_owner_is_named_although_a_worker_lives(ward: Ward) -> None:
    await ward.api.emit()
    await ward.redis.hset(queue_keys.own(ward.home), "until", str(await ward.now() - 11_000))  # type: ignore[misc]
    assert (await ward.named("no_worker"))["text"].startswith("1 partition has no worker since")


async def test_events_that_nobody_takes_are_overdue(ward: Ward) -> None:
    await ward.api.emit()
    late_ms = await ward.now() - 61_000
    (event_id,) = await ward.redis.zrange(queue_keys.due(ward.home, ward.lane), 0, 0)
    await ward.redis.zadd(queue_keys.due(ward.home, ward.lane), {event_id: late_ms})
    await ward.redis.zadd(queue_keys.lanes(ward.home), {ward.lane: late_ms})
    assert "1 event is due for 61 s" in (await ward.named("overdue"))["text"]


async def test_losses_and_counts_that_do_not_agree_page(ward: Ward) -> None:
    now_ms = await ward.now()
    loss = f'{{"survived_ms":{now_ms - 60_000},"noticed_ms":{now_ms},"noticed_by":"api"}}'
    await ward.redis.hset(deployment_keys.LOSSES, str(now_ms), loss)  # type: ignore[misc]
    assert (await ward.named("data_loss"))["severity"] == "page"
    await ward.redis.hincrby(queue_keys.counters(0), "accepted", 2)  # type: ignore[misc]
    await ward.judged()
    assert "2 events missing" in (await ward.named("audit_broken"))["text"]


async def test_a_repair_is_named_for_an_hour(ward: Ward) -> None:
    await ward.judged()
    await ward.redis.hincrby(queue_keys.counters(0), "repairs:job", 1)  # type: ignore[misc]
    assert "needed 1 repair" in (await ward.named("repaired"))["text"]


async def test_a_full_store_is_named(ward: Ward) -> None:
    pressure = ward.watch.evaluation.collector.sources.pressure
    pressure.full = True
    try:
        assert (await ward.named("store_pressure"))["severity"] == "page"
    finally:
        pressure.full = False


async def test_emits_that_fail_by_our_fault_page(ward: Ward) -> None:
    for status in (202, 202, 503, 503, 503, 503, 503):
        ward.watch.emits.count(status)
    await ward.watch.once()
    assert "5 of 7" in (await ward.named("accept_failing"))["text"]


async def test_an_integration_is_disabled_after_failing_for_too_long_and_enabled_by_hand(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 3, "HTTP 500")
    since_ms = await ward.now() - 5 * 86_400_000
    await ward.redis.hset(queue_keys.trouble(ward.home, ward.lane), "since", str(since_ms))  # type: ignore[misc]
    await ward.watch.evaluation.judge(out_of_turn=True)
    problem = await ward.named("integration_disabled")
    assert "is disabled since" in problem["text"]
    await ward.api.json("POST", f"/v1/lanes/{ward.lane}/resume", 200)
    assert "integration_disabled" not in await ward.kinds()


async def test_values_under_an_older_key_long_updates_and_stuck_jobs_are_named(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ward.redis.set(definition_keys.SEALED_STALE, 2)
    await ward.redis.zadd(installation_keys.UPDATES, {"n1": await ward.now() - 3_600_001})
    said = await ward.judged()
    assert {one["kind"] for one in said["problems"]} == {"keys_stale", "update_locked"}


async def test_operators_that_take_nothing_are_named(ward: Ward) -> None:
    home = ward.api.services.queue.partition_of(OPERATIONS)
    await ward.redis.sadd(queue_keys.troubled(home), OPERATIONS)  # type: ignore[misc]
    await ward.redis.hset(queue_keys.trouble(home, OPERATIONS), "since", str(await ward.now() - 300_001))  # type: ignore[misc]
    said = await ward.judged()
    assert [one["kind"] for one in said["problems"]] == ["operations_failing"]


async def test_a_clock_that_is_wrong_is_named(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.clock.StoreClock.machine_ahead_s", lambda _: 5.0)
    assert "5 s ahead of" in (await ward.named("clock"))["text"]


async def test_a_single_retry_or_a_result_that_is_awaited_is_no_problem(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 1, "HTTP 500")
    await ward.tries(Outcome.ACCEPTED, Status.AWAITING_RESULT, 1)
    await ward.api.emit()
    await ward.api.emit()
    assert (await ward.judged())["problems"] == []


async def test_a_client_of_one_vendor_sees_its_own_lanes_only(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 30, "HTTP 503")
    await ward.judged()
    client, secret = await ward.api.services.clients.create(
        frozenset({"ops:read", "ops:write"}), "other", None, 0, vendor_id="v-other"
    )
    headers = await ward.api.bearer(client.client_id, secret)
    said = await ward.api.json("GET", "/v1/status", 200, headers=headers)
    assert (said["ok"], said["problems"]) == (True, [])
    path = "/v1/status/problems/dead_letters/acknowledge"
    await ward.api.refused("POST", path, 404, "not_found", "problemId", headers=headers)


async def test_the_verdict_needs_its_scope(ward: Ward) -> None:
    headers = await ward.api.bearer_of_new("events:read")
    await ward.api.refused("GET", "/v1/status", 403, "insufficient_scope", headers=headers)


async def test_all_processes_serve_what_one_of_them_judged(ward: Ward, start: Start) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    said = await ward.judged()
    other = await start()
    assert await other.json("GET", "/v1/status", 200) == said


async def test_while_the_store_is_away_the_last_verdict_is_served_with_503(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    await ward.judged()

    async def gone(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr("dispatcher.store.health.verdicts.VerdictStore.read", gone)
    said = await ward.api.json("GET", "/v1/status", 503)
    assert [one["kind"] for one in said["problems"]] == ["store_away", "failing"]
    assert said["ok"] is False


def ping(status: PingStatus, started_ms: int, tls: str = "") -> PingTest:
    steps = (PingStep(StepName.TLS, True, 1.0, tls),) if tls else ()
    result = PingResult(EventType.SUBSCRIPTION_ORDER, status, URL, message="no answer", steps=steps)
    return PingTest(
        new_uuid(), PingVersion.PUBLISHED, status, started_ms, results=(result,), trigger=PingTrigger.SCHEDULE
    )


async def test_two_scheduled_pings_that_failed_in_a_row_are_named_until_one_passes(ward: Ward) -> None:
    pings = ward.api.services.definitions.pings
    await ward.redis.zadd(definition_keys.PINGS_DUE, {ward.lane: 1})
    await pings.add(ward.lane, ping(PingStatus.FAILED, await ward.now() - 1000))
    assert "probe_failed" not in await ward.kinds()
    await pings.add(ward.lane, ping(PingStatus.FAILED, await ward.now()))
    problem = await ward.named("probe_failed")
    assert problem["text"].startswith("test failed its last 2 pings since")
    assert problem["text"].endswith(": no answer.")


async def test_a_certificate_that_ends_soon_is_named(ward: Ward) -> None:
    ends = datetime.fromtimestamp(await ward.now() / 1000 + 2 * 86_400, UTC)
    tls = f"TLSv1.3, certificate good for 2 days (until {ends:%b %d %H:%M:%S %Y} GMT)"
    await ward.redis.zadd(definition_keys.PINGS_DUE, {ward.lane: 1})
    await ward.api.services.definitions.pings.add(ward.lane, ping(PingStatus.PASSED, await ward.now(), tls))
    problem = await ward.named("certificate")
    assert (problem["severity"], problem["integrationId"]) == ("act", ward.lane)


async def test_a_redelivery_that_stands_still_is_named(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works on it: the process that claimed it is lost, and no other took it over."""
    monkeypatch.setattr("dispatcher.policy.verdict.upkeep.STUCK_MS", 0)
    collector = ward.watch.evaluation.collector

    async def running() -> list[StuckJob]:
        return [StuckJob("job-1", 0, 7, 1200)]

    collector.sources = replace(collector.sources, redeliveries=running)
    assert "job-1 stands at 7 of 1,200" in (await ward.named("redelivery_stuck"))["text"]


async def test_a_backlog_that_grows_is_named(ward: Ward) -> None:
    await ward.api.emit()
    now_ms = await ward.now()
    trends = ward.watch.evaluation.collector.trends
    trends.readings = [Reading(now_ms - minute * 60_000, {}, 0) for minute in range(11, 0, -1)]
    for n, reading in enumerate(trends.readings):
        trends.readings[n] = replace(reading, backlog=n - 11)
    assert "Arrives faster than it leaves" in (await ward.named("backlog"))["text"]

"""Problems of hosts over HTTP, each produced on purpose and named."""

from __future__ import annotations

from datetime import UTC, datetime

from dispatcher.ids import new_uuid
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.ping import PingResult, PingStatus, PingStep, PingTest, PingTrigger, PingVersion, StepName
from dispatcher.model.status import Status
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import queue as queue_keys
from tests.api.status.ward import URL, Ward


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


async def test_fifty_deaths_in_ten_minutes_page(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 50, "HTTP 503")
    assert (await ward.named("dead_letters"))["severity"] == "page"


async def test_an_integration_is_disabled_after_failing_for_too_long_and_enabled_by_hand(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 3, "HTTP 500")
    since_ms = await ward.now() - 5 * 86_400_000
    await ward.redis.hset(queue_keys.trouble(ward.home, ward.lane), "since", str(since_ms))  # type: ignore[misc]
    await ward.watch.evaluation.judge(out_of_turn=True)
    problem = await ward.named("integration_disabled")
    assert "is disabled since" in problem["text"]
    await ward.api.json("POST", f"/v1/lanes/{ward.lane}/resume", 200)
    assert "integration_disabled" not in await ward.kinds()


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

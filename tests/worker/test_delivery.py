"""A real worker, a real store and a real host: accepted events are delivered signed, in order and once."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from standardwebhooks import Webhook

from dispatcher.errors import StoreUnavailable
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode, LaneLimits
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.worker.conftest import SECRET, Shop


async def test_an_accepted_event_is_delivered_signed_and_tracked(shop: Shop) -> None:
    integration = await shop.integration(oauth2=True)
    event_id = await shop.emit(integration)
    await shop.work()
    stored = await shop.ended(event_id)
    assert stored.state.status is Status.SUCCEEDED
    (request,) = shop.host.requests
    body = Webhook(SECRET).verify(request.body, {k.lower(): v for k, v in request.headers.items()})
    assert body["id"] == event_id == request.headers["webhook-id"]
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["x-event-type"] == "SUBSCRIPTION_CHANGE"
    assert request.headers["x-delivery-attempt"] == "1"
    (token_request,) = shop.host.tokens.requests
    assert token_request.headers["Authorization"] == "Basic MTIzNDU2OlMzY3JlMSE="
    attempts = await shop.queue.attempts(event_id)
    assert attempts is not None
    assert [(a.n, a.outcome, a.http_status, a.token_fetched) for a in attempts] == [(1, Outcome.OK, 200, True)]
    await shop.assert_well()


async def test_retries_keep_the_id_and_count_the_attempts(shop: Shop) -> None:
    shop.host.replies.extend([Reply(500), Reply(500), Reply.of(200, {"success": True})])
    event_id = await shop.emit(await shop.integration())
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 3)
    assert [r.headers["x-delivery-attempt"] for r in shop.host.requests] == ["1", "2", "3"]
    assert {r.headers["webhook-id"] for r in shop.host.requests} == {event_id}
    await shop.assert_well()


async def test_used_up_attempts_end_in_a_dead_letter_and_the_next_of_the_account_goes(shop: Shop) -> None:
    shop.host.replies.extend([Reply(500)] * 4)
    integration = await shop.integration()
    first, second = await shop.emit(integration), await shop.emit(integration)
    other = await shop.emit(integration, account="B")
    await shop.work()
    assert (await shop.ended(first)).state.status in (Status.DEAD, Status.SUCCEEDED)
    assert (await shop.ended(second)).state.status is Status.SUCCEEDED
    assert (await shop.ended(other)).state.status is Status.SUCCEEDED
    await shop.assert_well()


async def test_a_first_401_buys_one_fresh_token_within_the_attempt(shop: Shop) -> None:
    shop.host.replies.extend([Reply(401, b"")])
    event_id = await shop.emit(await shop.integration(oauth2=True))
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 1)
    assert [r.headers["Authorization"] for r in shop.host.requests] == ["Bearer token-1", "Bearer token-2"]


async def test_no_token_no_post(shop: Shop) -> None:
    shop.host.tokens.replies.extend([Reply(500, b"")] * 50)
    event_id = await shop.emit(await shop.integration(oauth2=True, schedule_s=(60.0,)))
    await shop.work()
    stored = await shop.status(event_id, Status.RETRYING)
    attempts = await shop.queue.attempts(event_id)
    assert attempts is not None
    assert [a.outcome for a in attempts] == [Outcome.TOKEN_FAILED]
    assert stored.state.error_code == "TRANSPORT_ERROR"
    assert shop.host.requests == []
    (lane,) = (await shop.queue.overview()).lanes
    assert lane.token_failing_since_ms is not None


async def test_410_is_dead_and_parks_what_follows_until_resumed(shop: Shop) -> None:
    shop.host.replies.extend([Reply(410, b"")])
    integration = await shop.integration()
    first, second = await shop.emit(integration), await shop.emit(integration)
    await shop.work()
    assert (await shop.ended(first)).state.status is Status.DEAD
    await shop.until(second, lambda s: s.state.error_code == "URL_SUSPENDED")
    await shop.assert_well()
    await shop.queue.resume(integration.id)
    assert (await shop.ended(second)).state.status is Status.SUCCEEDED
    await shop.assert_well()


async def test_a_202_awaits_its_result_and_holds_the_account(shop: Shop) -> None:
    shop.host.replies.extend([Reply(202, b"")])
    integration = await shop.integration()
    first, second = await shop.emit(integration), await shop.emit(integration)
    await shop.work()
    await shop.status(first, Status.AWAITING_RESULT)
    await shop.status(second, Status.HELD)
    await shop.queue.result(first, success=True, account_identifier="A-1")
    await shop.ended(second)
    assert json.loads(shop.host.requests[1].body)["payload"]["account"]["accountIdentifier"] == "A-1"
    await shop.assert_well()


async def test_a_result_that_never_comes_expires(shop: Shop) -> None:
    shop.host.replies.extend([Reply(202, b"")])
    event_id = await shop.emit(await shop.integration(result_deadline_s=0.2))
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.EXPIRED
    await shop.assert_well()


async def test_the_status_url_is_told_once_and_never_of_itself(shop: Shop) -> None:
    urls = {"upgradeUrl": shop.host.url("/n"), "eventStatusUrl": shop.host.url("/status")}
    event_id = await shop.emit(await shop.integration(urls))
    await shop.work()
    await shop.host.wait_for(2)
    await asyncio.sleep(0.3)
    (told,) = shop.host.to("/status")
    assert told.json["type"] == "SUBSCRIPTION_STATUS"
    assert told.json["payload"]["event"]["id"] == event_id
    assert told.json["payload"]["event"]["status"] == "SUCCEEDED"
    await shop.assert_well()


async def test_a_type_without_url_is_skipped(shop: Shop) -> None:
    event_id = await shop.emit(await shop.integration({"createUrl": shop.host.url()}), kind=EventType.USER_ASSIGNMENT)
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SKIPPED


async def test_a_template_without_its_values_is_not_called_and_the_variables_are_named(shop: Shop) -> None:
    url = shop.host.url().replace("127.0.0.1", "127.0.0.{Last}") + "/{Region}"
    event_id = await shop.emit(await shop.integration({"upgradeUrl": url}, schedule_s=()))
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.DEAD
    (attempt,) = await shop.queue.attempts(event_id) or []
    assert (attempt.outcome, attempt.error_code) == (Outcome.CONFIGURATION_ERROR, "CONFIGURATION_ERROR")
    assert "({Last}, {Region})" in str(attempt.error_detail)
    assert shop.host.requests == []


async def test_a_loopback_url_is_blocked_unless_allowed(shop: Shop) -> None:
    event_id = await shop.emit(await shop.integration(schedule_s=(60.0,)))
    await shop.work(allow_networks=())
    await shop.status(event_id, Status.RETRYING)
    attempts = await shop.queue.attempts(event_id)
    assert attempts is not None
    assert [a.outcome for a in attempts] == [Outcome.BLOCKED]
    assert shop.host.requests == []


async def test_retry_after_holds_the_whole_lane_back(shop: Shop) -> None:
    shop.host.replies.extend([Reply.of(503, None, retry_after="1")])
    integration = await shop.integration()
    first = await shop.emit(integration)
    await shop.work()
    await shop.status(first, Status.RETRYING)
    second = await shop.emit(integration, account="B")
    await shop.ended(second)
    assert shop.host.requests[1].arrived_s - shop.host.requests[0].arrived_s >= 0.9


async def test_a_circuit_opens_and_its_deferral_uses_up_no_attempts(shop: Shop) -> None:
    await shop.host.stop()
    integration = await shop.integration(schedule_s=(0.05,) * 10, limits=LaneLimits(concurrency=1))
    ids = [await shop.emit(integration, account=str(i)) for i in range(3)]
    began_s, open_s = time.monotonic(), 0.5
    await shop.work(circuit_failures=2, circuit_open=open_s)
    async with asyncio.timeout(10):
        while not (await shop.queue.overview()).circuits_open:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    tried = len(await shop.attempts(ids))
    assert tried <= 3 + (time.monotonic() - began_s) // open_s, "more than one probed each time"
    await shop.host.start(shop.host.port)
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED


async def test_the_strict_mode_wants_an_account_identifier_for_an_order(shop: Shop) -> None:
    integration = await shop.integration(answers=AnswerMode.RESULT)
    event_id = await shop.emit(integration, kind=EventType.SUBSCRIPTION_ORDER)
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.error_code) == (Status.FAILED, "INVALID_RESPONSE")


async def test_one_dead_host_does_not_delay_another(shop: Shop) -> None:
    dead = await shop.integration({"upgradeUrl": shop.host.url("/dead")})
    good = await shop.integration({"upgradeUrl": shop.host.url("/good")})
    shop.host.by_path["/dead"] = Reply(hang=True)
    await shop.work(concurrency=200, request_timeout=30.0, drain_timeout=0.5)
    for i in range(100):
        await shop.emit(dead, account=str(i))
    await asyncio.sleep(0.5)
    async with asyncio.timeout(10):  # a third of what the dead host may take
        for event_id in [await shop.emit(good, account=str(i)) for i in range(20)]:
            await shop.ended(event_id)


async def test_a_stopping_worker_finishes_what_runs_and_another_takes_over(shop: Shop) -> None:
    shop.host.default = Reply(delay_s=0.3)
    integration = await shop.integration()
    ids = [await shop.emit(integration, account=str(i)) for i in range(40)]
    stop = await shop.work()
    await shop.host.wait_for(5)
    stop.set()
    await shop.workers[0][1]
    shop.workers.clear()
    await shop.assert_well()
    assert (await shop.queue.overview()).in_flight == 0
    await shop.work()
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert len(shop.host.requests) == 40


async def test_two_workers_share_the_partitions_and_deliver_once(shop: Shop) -> None:
    integrations = [await shop.integration() for _ in range(12)]
    await shop.work()
    await shop.work()
    async with asyncio.timeout(15):
        while {len(w.partitions) for w in (await shop.queue.overview()).workers} != {2}:
            await asyncio.sleep(0.1)
    ids = [await shop.emit(integrations[i % 12], account=str(i % 20)) for i in range(200)]
    for event_id in ids:
        await shop.ended(event_id)
    seen = [(r.headers["webhook-id"], r.headers["x-delivery-attempt"]) for r in shop.host.requests]
    assert len(seen) == len(set(seen)) == 200
    await shop.assert_well()


async def test_every_attempt_is_counted_once(shop: Shop) -> None:
    shop.host.replies.extend([Reply(500)] * 3)
    integration = await shop.integration(oauth2=True)
    ids = [await shop.emit(integration, account=str(i)) for i in range(30)]
    await shop.work()
    for event_id in ids:
        await shop.ended(event_id)
    await shop.stop_all()
    counters = await shop.queue.counters()
    assert counters["accepted"] == counters["terminal:SUCCEEDED"] == counters["attempts:OK"] == 30
    assert counters["attempts:HTTP_ERROR"] == 3
    assert counters["attempt_seconds:count"] == 33
    assert counters["delivery_latency:count"] == 30
    assert counters["tokens:ok"] == 1


async def test_a_damaged_partition_does_not_stop_the_others(shop: Shop) -> None:
    sick, well = await shop.integration(), await shop.integration()
    while shop.queue.partition_of(well.id) == shop.queue.partition_of(sick.id):
        well = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(sick))
    prefix = f"{{p{shop.queue.partition_of(sick.id)}}}:"
    await shop.redis.delete(prefix + "lanes")
    await shop.redis.set(prefix + "lanes", "not a sorted set")
    assert (await shop.ended(await shop.emit(well))).state.status is Status.SUCCEEDED
    await shop.redis.delete(prefix + "lanes")
    assert (await shop.ended(await shop.emit(sick))).state.status is Status.SUCCEEDED


async def test_ft18_full_memory_refuses_new_events_and_delivers_old_ones(shop: Shop) -> None:
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.queue.pause(integration.id)
    event_id = await shop.emit(integration)
    await shop.redis.config_set("maxmemory", 1_000_000)
    try:
        with pytest.raises(StoreUnavailable):
            await shop.emit(integration)
        await shop.queue.resume(integration.id)
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    finally:
        await shop.redis.config_set("maxmemory", 0)
    assert (await shop.ended(await shop.emit(integration))).state.status is Status.SUCCEEDED


async def test_a_nudge_that_overtakes_the_claims_answer_is_not_forgotten(shop: Shop) -> None:
    """Symptom: with arrivals while the owner asked, events lay ready until its idle poll a second later."""
    integrations = [await shop.integration() for _ in range(4)]
    await shop.work()
    await shop.ended(await shop.emit(integrations[0]))
    emitted: dict[str, float] = {}
    for i in range(200):
        event_id = await shop.emit(integrations[i % 4], account=str(i))
        emitted[event_id] = time.monotonic()
        await asyncio.sleep(0.004)
    await shop.host.wait_for(201)
    late = [
        request.arrived_s - emitted[request.headers["webhook-id"]]
        for request in shop.host.requests
        if request.headers["webhook-id"] in emitted
    ]
    assert sum(1 for waited_s in late if waited_s > 0.3) < 10


async def test_a_remembered_token_failure_uses_up_no_attempt(shop: Shop) -> None:
    """Symptom: with a short schedule, an outage of the token endpoint of two seconds ended in a dead letter."""
    shop.host.tokens.replies.extend([Reply(500, b"")])
    event_id = await shop.emit(await shop.integration(oauth2=True, schedule_s=(0.1, 0.1)))
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 2)
    attempts = await shop.attempts([event_id])
    assert [a.outcome for a in attempts] == [Outcome.TOKEN_FAILED, Outcome.OK]


async def test_ft28_a_damaged_event_stops_no_other(shop: Shop) -> None:
    integration = await shop.integration()
    damaged, well = await shop.emit(integration, account="A"), await shop.emit(integration, account="B")
    key = f"{{p{shop.queue.partition_of(integration.id)}}}:e:{damaged}"
    await shop.redis.delete(key)
    await shop.redis.set(key, "junk")
    await shop.work()
    assert (await shop.ended(well)).state.status is Status.SUCCEEDED
    assert await shop.queue.get(damaged) is None
    assert [item.event.id for item in (await shop.queue.page(EventFilter(), None, 10)).items] == [well]
    assert damaged in (await shop.store.audit()).broken


async def test_a_lost_job_is_handed_out_again_and_counted_but_a_restart_is_not_a_repair(shop: Shop) -> None:
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.stop_all()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.stop_all()
    assert "repairs:job" not in await shop.queue.counters()
    event_id = await shop.emit(integration)
    for key in await shop.redis.keys("arq:*"):
        await shop.redis.delete(key)
    await shop.redis.delete("dispatcher:jobs")
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert (await shop.queue.counters())["repairs:job"] >= 1
    await shop.assert_well()

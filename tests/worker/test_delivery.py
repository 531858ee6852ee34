"""A real worker, a real store and a real host: accepted events are delivered signed, in order and once."""

from __future__ import annotations

import asyncio
import json

from standardwebhooks import Webhook

from dispatcher.flow.events.reading.explain import sentence
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode
from dispatcher.model.queue import Explanation, Reason
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.waiting import until
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


async def test_the_url_of_an_attempt_is_what_was_sent(shop: Shop) -> None:
    integration = await shop.integration({"notifyUrl": shop.host.base_url.upper() + "/a%2Fb/../c?s=%2B+€"})
    event_id = await shop.emit(integration, kind=EventType.SUBSCRIPTION_NOTICE)
    await shop.work()
    await shop.ended(event_id)
    (attempt,) = await shop.attempts([event_id])
    assert attempt.url == shop.host.base_url + "/a%2Fb/../c?s=%2B+%E2%82%AC"


async def test_an_attempt_tells_where_its_time_went_and_what_the_host_said_of_itself(shop: Shop) -> None:
    headers = {"X-Request-Id": "r-7", "Set-Cookie": "a=b", "WWW-Authenticate": "Bearer token-1", "Server": "x" * 900}
    shop.host.replies.extend([Reply(500, b"oh", headers, delay_s=0.02), Reply.of(200, {"success": True})])
    event_id = await shop.emit(await shop.integration(oauth2=True))
    await shop.work()
    await shop.ended(event_id)
    failed, good = await shop.attempts([event_id])
    assert failed.phases is not None
    assert good.phases is not None
    assert min(failed.phases.token, failed.phases.wait) > 0
    assert sum(failed.phases) <= failed.duration_ms + 1
    assert (good.phases.token, good.response_headers) == (0, None)
    kept = failed.response_headers or {}
    assert kept["X-Request-Id"] == "r-7"
    assert "token-1" not in kept["WWW-Authenticate"]
    assert len(kept["Server"]) <= 200
    assert "Set-Cookie" not in kept


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


async def test_an_attempt_without_a_token_is_shown_at_the_token_endpoint(shop: Shop) -> None:
    shop.host.tokens.replies.append(Reply(500, b""))
    event_id = await shop.emit(await shop.integration(oauth2=True, schedule_s=(60.0,)))
    await shop.work()
    await shop.status(event_id, Status.RETRYING)
    (attempt,) = await shop.attempts([event_id])
    assert (attempt.outcome, attempt.url) == (Outcome.TOKEN_FAILED, shop.host.token_url)
    assert shop.host.requests == []


async def test_an_event_that_waits_for_a_token_names_the_credentials_that_fail(shop: Shop) -> None:
    shop.host.tokens.replies.extend([Reply.of(503, retry_after="60")] * 2)
    integration = await shop.integration(oauth2=True, schedule_s=(60.0,))
    await shop.work()
    await shop.status(await shop.emit(integration, account="A"), Status.RETRYING)
    put_off = await shop.emit(integration, account="B")

    async def explained() -> Explanation | None:
        found = await shop.queue.explain(put_off)
        return found if found is not None and "outboundCredentials" in (found.detail or "") else None

    found = await until(explained)
    assert found.reason is Reason.PUT_OFF
    assert "no access token is had with the integration's outboundCredentials since 20" in sentence(found)


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


async def test_the_strict_mode_wants_an_account_identifier_for_an_order(shop: Shop) -> None:
    integration = await shop.integration(answers=AnswerMode.RESULT)
    event_id = await shop.emit(integration, kind=EventType.SUBSCRIPTION_ORDER)
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.error_code) == (Status.FAILED, "INVALID_RESPONSE")


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


async def test_every_attempt_carries_the_trace_of_its_emitter(shop: Shop) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    shop.host.replies.extend([Reply(500)])
    integration = await shop.integration({"upgradeUrl": shop.host.url(), "eventStatusUrl": shop.host.url("/status")})
    traced = await shop.emit(integration, trace=trace)
    plain = await shop.emit(integration, account="B")
    await shop.work()
    await shop.ended(traced)
    await shop.ended(plain)
    await until(lambda: len(shop.host.to("/status")) == 2)
    sent = [(r.headers["webhook-id"], r.headers.get("traceparent")) for r in shop.host.to("/notifications")]
    assert [seen for event_id, seen in sent if event_id == traced] in ([trace, trace], [trace])
    assert [seen for event_id, seen in sent if event_id == plain] in ([None, None], [None])
    assert {r.headers.get("traceparent") for r in shop.host.to("/status")} == {trace, None}

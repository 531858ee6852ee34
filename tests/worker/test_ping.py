"""Ping tests by a real worker at a real host: each outcome, and nothing but the one request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, replace
from typing import Any

import pytest
from standardwebhooks import Webhook

from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.ids import new_uuid
from dispatcher.model.event_type import URL_FIELDS, EventType
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingResult, PingStatus, PingTest, PingVersion, StepName, as_of
from dispatcher.model.queue import EventFilter
from dispatcher.store.definitions.pings.starter import QueuedPings, open_jobs
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import SECRET, Shop

ORDER, ASSIGN = EventType.SUBSCRIPTION_ORDER, EventType.USER_ASSIGNMENT
PASSED, FAILED, NOT_CONFIGURED = PingStatus.PASSED, PingStatus.FAILED, PingStatus.NOT_CONFIGURED
NOW_MS = 1_700_000_000_000


@dataclass
class Pings:
    """Asks for ping tests, and waits for their ends."""

    shop: Shop

    def __post_init__(self) -> None:
        self.starter = QueuedPings(open_jobs(self.shop.redis, None))

    async def ask(self, integration: Integration, *kinds: EventType, security: bool = False) -> PingTest:
        now_ms = int((await self.shop.redis.time())[0]) * 1000
        asked = await request_ping(
            self.shop.definitions,
            self.starter,
            integration.id,
            PingVersion.WORKING,
            kinds or None,
            now_ms,
            PingOptions(security),
        )
        return asked.test

    async def end(self, integration: Integration, test: PingTest, timeout_s: float = 15) -> PingTest:
        async def ended() -> PingTest | None:
            found = await self.shop.definitions.pings.find(integration.id, test.id)
            assert found is not None
            return None if found.status is PingStatus.RUNNING else found

        return await until(ended, timeout_s)

    async def run(self, integration: Integration, *kinds: EventType, security: bool = False) -> PingTest:
        test = await self.ask(integration, *kinds, security=security)
        return await self.end(integration, test)

    async def only(self, integration: Integration, kind: EventType = ORDER) -> PingResult:
        (result,) = (await self.run(integration, kind)).results
        return result


@pytest.fixture
async def pings(shop: Shop) -> Pings:
    await shop.work()
    return Pings(shop)


def step(result: PingResult, name: StepName) -> Any:
    return next(one for one in result.steps if one.name is name)


async def test_ping_is_signed_authorised_stateless_and_leaves_no_event(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration(oauth2=True)
    test = await pings.run(integration, ORDER)
    assert test.status is PASSED, test
    (result,) = test.results
    assert (result.http_status, result.success, result.error_code) == (200, True, None)
    (request,) = shop.host.requests
    body = Webhook(SECRET).verify(request.body, {k.lower(): v for k, v in request.headers.items()})
    assert (body["type"], body["flag"], body["id"]) == (
        "SUBSCRIPTION_ORDER",
        "STATELESS",
        request.headers["webhook-id"],
    )
    assert request.headers["Authorization"] == "Bearer token-1"
    assert test.completed_ms is not None
    page = await shop.queue.page(EventFilter(), None, 10)
    assert page.items == []
    assert await shop.queue.get(body["id"]) is None
    assert [await shop.redis.exists(f"{{p{n}}}:counts", f"{{p{n}}}:feed", f"{{p{n}}}:log") for n in range(4)] == [0] * 4


async def test_named_types_make_just_these_requests_and_all_types_one_for_each_url(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration()
    await pings.run(integration, ORDER, ASSIGN)
    assert {one.json["type"] for one in shop.host.requests} == {"SUBSCRIPTION_ORDER", "USER_ASSIGNMENT"}
    assert len(shop.host.requests) == 2
    test = await pings.run(integration)
    assert len(test.results) == len(shop.host.requests) - 2 == len(URL_FIELDS) - 1


async def test_type_without_url_is_not_configured_and_not_sent(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration({"createUrl": shop.host.url()})
    test = await pings.run(integration, ORDER, ASSIGN)
    assert [one.status for one in test.results] == [PASSED, NOT_CONFIGURED]
    assert test.status is PASSED
    assert len(shop.host.requests) == 1
    assert (await pings.run(integration, ASSIGN)).status is FAILED


@pytest.mark.parametrize(
    ("reply", "status", "success", "code"),
    [
        (Reply.of(200, {"success": True}), PASSED, True, None),
        (Reply(200, b"OK"), PASSED, True, None),
        (Reply(202, b""), PASSED, True, None),
        (Reply.of(200, {"success": False, "errorCode": "UNKNOWN_ERROR"}), PASSED, False, "UNKNOWN_ERROR"),
        (Reply(404, b""), FAILED, False, "TRANSPORT_ERROR"),
        (Reply(503, b"", {"Retry-After": "0"}), FAILED, False, "TRANSPORT_ERROR"),
        (Reply(410, b""), FAILED, False, "TRANSPORT_ERROR"),
        (Reply(reset=True), FAILED, False, "TRANSPORT_ERROR"),
        (Reply(hang=True), FAILED, False, "TRANSPORT_ERROR"),
    ],
    ids=["success", "text", "accepted", "well-formed-error", "404", "503", "410", "reset", "hang"],
)
async def test_each_answer_has_its_outcome_after_one_request(
    shop: Shop, pings: Pings, reply: Reply, status: PingStatus, success: bool, code: str | None
) -> None:
    shop.host.default = reply
    result = await pings.only(await shop.integration(schedule_s=(0.05, 0.05)))
    assert (result.status, result.success, result.error_code) == (status, success, code), result
    if not (reply.hang or reply.reset):
        assert result.http_status == reply.status
    await asyncio.sleep(0.3)
    assert len(shop.host.requests) == 1


async def test_refused_connection_is_a_transport_error_with_a_remedy(shop: Shop, pings: Pings) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    result = await pings.only(await shop.integration({"createUrl": url}))
    assert (result.status, result.error_code, result.http_status) == (FAILED, "TRANSPORT_ERROR", None)
    connect = step(result, StepName.CONNECT)
    assert connect.ok is False
    assert "refused" in connect.text
    assert connect.remedy
    assert [one.name for one in result.steps] == list(StepName)
    assert step(result, StepName.ANSWER).ok is None


async def test_token_endpoint_failure_fails_the_ping_and_nothing_is_posted(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration(oauth2=True)
    assert (await pings.run(integration, ORDER)).status is PASSED
    shop.host.tokens.replies.extend([Reply(500, b"")] * 10)
    result = await pings.only(integration)
    assert (result.status, result.error_code) == (FAILED, "TRANSPORT_ERROR")
    assert step(result, StepName.TOKEN).ok is False
    assert step(result, StepName.CONNECT).ok is True
    assert step(result, StepName.POST).ok is None
    assert len(shop.host.requests) == 1


async def test_all_types_of_a_test_share_one_token(shop: Shop, pings: Pings) -> None:
    await pings.run(await shop.integration(oauth2=True))
    assert len(shop.host.tokens.requests) == 1


async def test_address_that_is_not_allowed_is_blocked_and_named_by_its_class(shop: Shop, pings: Pings) -> None:
    result = await pings.only(await shop.integration({"createUrl": "http://10.1.2.3/"}))
    assert (result.status, result.error_code) == (FAILED, "CONFIGURATION_ERROR")
    address = step(result, StepName.ADDRESS)
    assert (address.ok, address.text) == (False, "the address is not allowed (private)")
    assert "10.1.2.3" not in f"{result.message} {[one.text for one in result.steps]}"


async def test_name_that_does_not_resolve_is_told_at_dns(shop: Shop, pings: Pings) -> None:
    result = await pings.only(await shop.integration({"createUrl": "http://nowhere.invalid/"}))
    assert result.status is FAILED
    dns = step(result, StepName.DNS)
    assert dns.ok is False
    assert dns.remedy


async def test_steps_of_a_good_ping_are_timed(shop: Shop, pings: Pings) -> None:
    result = await pings.only(await shop.integration(oauth2=True))
    told = {one.name: (one.ok, one.duration_ms is not None) for one in result.steps}
    assert told == {
        StepName.DNS: (True, True),
        StepName.ADDRESS: (True, True),
        StepName.CONNECT: (True, True),
        StepName.TLS: (None, False),
        StepName.TOKEN: (True, True),
        StepName.POST: (True, True),
        StepName.ANSWER: (True, False),
    }


async def test_secret_that_a_host_repeats_is_not_kept(shop: Shop, pings: Pings) -> None:
    shop.host.default = Reply.of(200, {"success": False, "errorCode": "FORBIDDEN", "message": f"not {SECRET}"})
    result = await pings.only(await shop.integration())
    assert SECRET not in str(result)


async def test_ping_that_no_worker_takes_is_failed_when_it_is_read_after_its_deadline(shop: Shop) -> None:
    integration = await shop.integration()
    test = await Pings(shop).ask(integration, ORDER)
    assert as_of(test, test.deadline_ms) == test
    late = as_of(test, test.deadline_ms + 1)
    assert (late.status, late.results[0].status) == (FAILED, FAILED)
    assert "worker" in (late.results[0].message or "")


async def test_ping_is_given_up_at_its_deadline_by_the_worker(shop: Shop, pings: Pings) -> None:
    shop.host.default = Reply(hang=True)
    integration = await shop.integration()
    test = await pings.ask(integration, ORDER, ASSIGN)
    hurried = replace(test, id=new_uuid(), deadline_ms=test.started_ms + 2000)
    await shop.definitions.pings.add(integration.id, hurried)
    await pings.starter.start(integration, hurried)
    ended = await pings.end(integration, hurried)
    assert (ended.status, {one.status for one in ended.results}) == (FAILED, {FAILED})
    assert "deadline" in (ended.results[0].message or "")


async def test_worker_that_starts_later_runs_the_ping(shop: Shop) -> None:
    integration, pings = await shop.integration(), Pings(shop)
    test = await pings.ask(integration, ORDER)
    await shop.work()
    assert (await pings.end(integration, test)).status is PASSED


async def test_test_of_a_deleted_integration_changes_nothing(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration()
    await shop.definitions.delete(integration.id)
    with pytest.raises(Exception, match="no integration"):
        await pings.ask(integration, ORDER)
    assert shop.host.requests == []


@pytest.mark.parametrize(("reply", "untrue"), [(Reply(410, b""), "suspended"), (Reply(500, b""), "tried again")])
async def test_a_ping_says_nothing_of_what_only_a_delivery_causes(shop: Shop, reply: Reply, untrue: str) -> None:
    shop.host.default = reply
    await shop.work()
    test = await Pings(shop).run(await shop.integration(), ORDER)
    said = " ".join(f"{step.text} {step.remedy}" for step in test.results[0].steps)
    assert untrue not in f"{said} {test.results[0].message}"


async def test_a_ping_does_not_promise_another_try_of_a_token_endpoint(shop: Shop) -> None:
    shop.host.tokens.replies.append(Reply(500, b""))
    await shop.work()
    test = await Pings(shop).run(await shop.integration(oauth2=True), ORDER)
    assert "token endpoint answered 500" in (test.results[0].message or "")
    assert "tried again" not in str(test.results[0])

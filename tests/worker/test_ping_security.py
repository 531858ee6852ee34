"""A ping proves that a host refuses what it must refuse, and names what to do where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.ping import CheckName, PingStatus, PingTest
from dispatcher.sample_host import SampleHost
from tests.hosts import Received, Reply
from tests.worker.conftest import SECRET, Shop
from tests.worker.test_ping import Pings

FORGED, STALE = CheckName.FORGED_SIGNATURE, CheckName.STALE_TIMESTAMP
NO_TOKEN, REPLAYED = CheckName.MISSING_TOKEN, CheckName.REPLAYED_ID
PASSED, FAILED, NOT_CONFIGURED = PingStatus.PASSED, PingStatus.FAILED, PingStatus.NOT_CONFIGURED
REFUSAL = Reply.of(401, {"success": False, "errorCode": "UNAUTHORIZED"})


@pytest.fixture
async def pings(shop: Shop) -> Pings:
    await shop.work()
    return Pings(shop)


async def check(pings: Pings, integration: Integration) -> PingTest:
    return await pings.run(integration, EventType.SUBSCRIPTION_ORDER, security=True)


def statuses(test: PingTest) -> dict[CheckName, PingStatus]:
    return {one.name: one.status for one in test.security_checks}


def genuine(request: Received) -> bool:
    try:
        Webhook(SECRET).verify(request.body, {name.lower(): value for name, value in request.headers.items()})
    except WebhookVerificationError:
        return False
    return True


def verifying(refusal: Reply = REFUSAL) -> Callable[[Received], Reply]:
    """Checks as the reference library does, and wants a token."""

    def answer(request: Received) -> Reply:
        return Reply() if genuine(request) and "Authorization" in request.headers else refusal

    return answer


async def test_sample_host_passes_every_check(shop: Shop, pings: Pings) -> None:
    async with SampleHost("123456", "S3cre1!") as host:
        host.trust(SECRET)
        integration = await shop.integration({"createUrl": host.notification_url()}, oauth2=True)
        credentials = replace(integration.working.credentials, token_uri=host.token_url)
        working = replace(integration.working, credentials=credentials)
        await shop.definitions.edit(integration.id, lambda one: replace(one, working=working))
        test = await check(pings, integration)
        assert statuses(test) == dict.fromkeys(CheckName, PASSED), test.security_checks
        assert test.status is PASSED
        assert all(one.remedy is None for one in test.security_checks)
        assert [(one.genuine, one.authorised) for one in host.received] == [
            (True, True),
            (True, True),
            (False, True),
            (False, True),
            (True, False),
            (True, True),
        ]


async def test_host_that_takes_everything_fails_with_remedies(shop: Shop, pings: Pings) -> None:
    test = await check(pings, await shop.integration(oauth2=True))
    assert statuses(test) == {FORGED: FAILED, STALE: FAILED, NO_TOKEN: FAILED, REPLAYED: PASSED}
    assert test.results[0].status is PASSED
    assert test.status is FAILED
    assert all(one.remedy for one in test.security_checks if one.status is FAILED)
    assert {one.http_status for one in test.security_checks} == {200}


async def test_what_is_sent_is_wrong_in_just_one_respect(shop: Shop, pings: Pings) -> None:
    await check(pings, await shop.integration(oauth2=True))
    _, first, forged, stale, without_token, again = shop.host.requests
    assert len({one.headers["webhook-id"] for one in (first, forged, stale, without_token)}) == 4
    assert again.body == first.body
    assert first.json["flag"] == "STATELESS"
    assert [genuine(one) for one in (first, forged, stale, without_token, again)] == [True, False, False, True, True]
    assert abs(time.time() - int(forged.headers["webhook-timestamp"])) < 60
    assert 0 <= int(stale.headers["webhook-timestamp"]) + 600 - int(first.headers["webhook-timestamp"]) < 60
    assert "Authorization" not in without_token.headers
    assert dict(again.headers) == dict(first.headers)


async def test_missing_token_is_not_checked_without_credentials(shop: Shop, pings: Pings) -> None:
    test = await check(pings, await shop.integration())
    assert statuses(test)[NO_TOKEN] is NOT_CONFIGURED
    assert len(shop.host.requests) == 5


@pytest.mark.parametrize(
    "refusal",
    [REFUSAL, Reply.of(200, {"success": False, "errorCode": "UNAUTHORIZED"}), Reply(reset=True), Reply(403, b"")],
    ids=["401", "200 success false", "cut", "403"],
)
async def test_forgery_may_be_turned_away_in_any_way(shop: Shop, pings: Pings, refusal: Reply) -> None:
    shop.host.default = verifying(refusal)
    test = await check(pings, await shop.integration(oauth2=True))
    assert statuses(test) == dict.fromkeys(CheckName, PASSED), test.security_checks


async def test_repeat_may_be_refused_but_not_worked_off_again(shop: Shop, pings: Pings) -> None:
    seen: list[str] = []

    def conflicting(request: Received) -> Reply:
        known = request.headers["webhook-id"] in seen
        seen.append(request.headers["webhook-id"])
        return Reply(409, b"") if known else Reply()

    integration = await shop.integration()
    shop.host.default = conflicting
    found = statuses(await check(pings, integration))
    assert (found[REPLAYED], found[FORGED]) == (PASSED, FAILED), "knowing ids is not knowing who sent them"

    def working_again(request: Received) -> Reply:
        seen.append("")
        return Reply.of(200, {"success": True, "accountIdentifier": f"A-{len(seen)}"})

    shop.host.default = working_again
    test = await check(pings, integration)
    (replayed,) = (one for one in test.security_checks if one.name is REPLAYED)
    assert replayed.status is FAILED
    assert "webhook-id" in (replayed.remedy or "")


async def test_of_a_repeat_only_what_can_be_known_is_said(shop: Shop, pings: Pings) -> None:
    integration = await shop.integration()

    async def said() -> str:
        test = await check(pings, integration)
        (replayed,) = (one for one in test.security_checks if one.name is REPLAYED)
        assert replayed.status is PASSED
        return replayed.text

    assert "only the host knows" in await said()
    seen: set[str] = set()

    def conflicts(request: Received) -> Reply:
        known = request.headers["webhook-id"] in seen
        seen.add(request.headers["webhook-id"])
        return Reply(409, b"") if known else Reply()

    shop.host.default = conflicts
    assert "would count as failed and be retried, so give the first answer again" in await said()


async def test_nothing_is_said_of_a_host_that_refuses_the_genuine_one_too(shop: Shop, pings: Pings) -> None:
    shop.host.default = Reply(401, b"")
    test = await check(pings, await shop.integration())
    assert set(statuses(test).values()) == {FAILED}
    assert len(shop.host.requests) == 1
    assert all("nothing can be said" in one.text for one in test.security_checks)


async def test_every_url_is_checked_once(shop: Shop, pings: Pings) -> None:
    urls = {"createUrl": shop.host.url("/a"), "assignUrl": shop.host.url("/b"), "cancelUrl": shop.host.url("/a")}
    test = await pings.run(await shop.integration(urls), security=True)
    assert sorted({one.url for one in test.security_checks}) == [shop.host.url("/a"), shop.host.url("/b")]
    assert len(test.security_checks) == 2 * len(CheckName)


async def test_without_being_asked_nothing_is_forged(shop: Shop, pings: Pings) -> None:
    test = await pings.run(await shop.integration(), EventType.SUBSCRIPTION_ORDER)
    assert test.security_checks == ()
    assert len(shop.host.requests) == 1

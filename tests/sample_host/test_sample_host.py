"""The sample product host, spoken to as the dispatcher does."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from dispatcher.policy.notification.signing import SeedKey, generate_secret, generate_seed, parse_secret, sign
from dispatcher.sample_host import SampleHost

SECRET = generate_secret()


@pytest.fixture
async def host() -> AsyncIterator[SampleHost]:
    async with SampleHost("123456", "S3cre1!") as host:
        host.trust(SECRET)
        yield host


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def token(host: SampleHost, session: aiohttp.ClientSession) -> str:
    basic = {"Authorization": aiohttp.encode_basic_auth("123456", "S3cre1!")}
    async with session.post(host.token_url, data={"grant_type": "client_credentials"}, headers=basic) as answer:
        assert answer.status == 200
        return str((await answer.json())["access_token"])


def signed(document: dict[str, Any], event_id: str = "e-1", secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(document).encode()
    at_s = int(time.time())
    return body, {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign([parse_secret(secret)], event_id, at_s, body),
        "x-delivery-attempt": "2",
    }


async def send(
    host: SampleHost, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str], bearer: str | None = None
) -> tuple[int, Any]:
    bearer = await token(host, session) if bearer is None else bearer
    sent = headers | {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    async with session.post(host.notification_url(), data=body, headers=sent) as answer:
        return answer.status, await answer.json()


async def test_an_order_gets_an_account_identifier_and_a_repeat_the_same_one(
    host: SampleHost, session: aiohttp.ClientSession
) -> None:
    body, headers = signed({"type": "SUBSCRIPTION_ORDER", "flag": None})
    first = await send(host, session, body, headers)
    assert first == (200, {"success": True, "accountIdentifier": "sample-1"})
    assert await send(host, session, body, headers) == first
    received = await host.wait_for(2)
    assert [one.repeated for one in received] == [False, True]
    assert (received[0].type, received[0].attempt, received[0].genuine) == ("SUBSCRIPTION_ORDER", 2, True)


@pytest.mark.parametrize("kind", ["SUBSCRIPTION_CHANGE", "SUBSCRIPTION_CANCEL", "USER_ASSIGNMENT", "SOMETHING_NEW"])
async def test_other_types_are_answered_with_success(
    host: SampleHost, session: aiohttp.ClientSession, kind: str
) -> None:
    assert await send(host, session, *signed({"type": kind})) == (200, {"success": True})


async def test_a_ping_creates_nothing(host: SampleHost, session: aiohttp.ClientSession) -> None:
    status, answer = await send(host, session, *signed({"type": "SUBSCRIPTION_ORDER", "flag": "STATELESS"}))
    assert (status, answer["success"], "accountIdentifier" in answer) == (200, True, False)


async def test_what_the_reference_library_signs_is_genuine(host: SampleHost, session: aiohttp.ClientSession) -> None:
    now = datetime.now(UTC)
    body = '{"type":"SUBSCRIPTION_CANCEL"}'
    headers = {
        "webhook-id": "e-9",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("e-9", now, body),
    }
    assert (await send(host, session, body.encode(), headers))[0] == 200


async def test_a_forged_changed_or_old_notification_is_refused_with_the_reason(
    host: SampleHost, session: aiohttp.ClientSession
) -> None:
    body, headers = signed({"type": "SUBSCRIPTION_ORDER"})
    _, forged = signed({"type": "SUBSCRIPTION_ORDER"}, secret=generate_secret())
    old = headers | {"webhook-timestamp": str(int(time.time()) - 4000)}
    for bytes_, given in ((body, forged), (body + b" ", headers), (body, old), (body, {})):
        status, answer = await send(host, session, bytes_, given)
        assert (status, answer["success"]) == (401, False)
        assert answer["message"]
    assert not any(one.genuine for one in host.received)


async def test_without_a_valid_token_nothing_is_done(host: SampleHost, session: aiohttp.ClientSession) -> None:
    status, _ = await send(host, session, *signed({"type": "SUBSCRIPTION_ORDER"}), bearer="stolen")
    assert status == 401
    assert (host.received[0].genuine, host.received[0].authorised) == (True, False)


async def test_before_it_knows_the_secret_nothing_is_genuine(session: aiohttp.ClientSession) -> None:
    async with SampleHost("123456", "S3cre1!") as host:
        assert (await send(host, session, *signed({"type": "SUBSCRIPTION_ORDER"})))[0] == 401


async def test_an_asymmetric_signature_is_checked_with_the_public_key_alone(session: aiohttp.ClientSession) -> None:
    seed = generate_seed()
    key = parse_secret(seed)
    assert isinstance(key, SeedKey)
    async with SampleHost("123456", "S3cre1!") as host:
        host.trust(str(key.public))
        assert (await send(host, session, *signed({"type": "SUBSCRIPTION_CANCEL"}, secret=seed)))[0] == 200


async def test_unavailable_for_a_while_then_well(host: SampleHost, session: aiohttp.ClientSession) -> None:
    host.be_unavailable(2)
    body, headers = signed({"type": "SUBSCRIPTION_ORDER"})
    assert [(await send(host, session, body, headers))[0] for _ in range(3)] == [503, 503, 200]


BAD_CLIENTS: dict[str, tuple[dict[str, str], dict[str, str], int]] = {
    "wrong secret": ({"Authorization": "Basic " + base64.b64encode(b"123456:no").decode()}, {}, 401),
    "no client": ({}, {}, 401),
    "not base64": ({"Authorization": "Basic !!!!"}, {}, 401),
    "not text": ({"Authorization": "Basic /w=="}, {}, 401),
    "another grant": ({}, {"grant_type": "password"}, 400),
}


@pytest.mark.parametrize("case", BAD_CLIENTS)
async def test_a_token_is_given_to_its_client_only(host: SampleHost, session: aiohttp.ClientSession, case: str) -> None:
    headers, form, status = BAD_CLIENTS[case]
    async with session.post(
        host.token_url, data={"grant_type": "client_credentials"} | form, headers=headers
    ) as answer:
        assert answer.status == status
        assert "error" in await answer.json()
    assert host.tokens_issued == 0


async def test_a_client_may_present_itself_in_the_form(host: SampleHost, session: aiohttp.ClientSession) -> None:
    form = {"grant_type": "client_credentials", "client_id": "123456", "client_secret": "S3cre1!"}
    async with session.post(host.token_url, data=form) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_token_expires(session: aiohttp.ClientSession) -> None:
    now = [time.time()]
    async with SampleHost("123456", "S3cre1!", clock=lambda: now[0]) as host:
        host.trust(SECRET)
        bearer = await token(host, session)
        now[0] += 3601
        assert (await send(host, session, *signed({"type": "SUBSCRIPTION_ORDER"}), bearer=bearer))[0] == 401


async def test_waiting_for_what_does_not_come_ends(host: SampleHost) -> None:
    with pytest.raises(TimeoutError):
        await host.wait_for(1, timeout_s=0.05)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 50_000, b"\xff"])
async def test_an_unreadable_body_is_no_server_error(
    host: SampleHost, session: aiohttp.ClientSession, body: bytes
) -> None:
    assert (await send(host, session, body, {}))[0] == 401

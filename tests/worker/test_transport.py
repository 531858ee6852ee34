"""Integrations that prove themselves by client certificates and trust private authorities."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.tls_parts import Identity, TlsHost, issue, server_context, tls_host, tunnel_proxy
from tests.worker.conftest import Shop
from tests.worker.transport_parts import (
    CLIENTS,
    COMPANY,
    MIDDLE,
    demanding,
    emit,
    integration_over,
    outcome,
    showing,
    strict,
)

__all__ = ["demanding", "strict"]


async def test_host_that_demands_a_client_certificate_sees_the_integrations_own(shop: Shop, demanding: TlsHost) -> None:
    await shop.work()
    ended, _ = await outcome(shop, await integration_over(shop, demanding.url(), showing(issue("shop-1", MIDDLE))))
    assert ended.state.status is Status.SUCCEEDED
    assert [one.client for one in demanding.seen] == ["shop-1"]


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (None, "wants a client certificate"),
        (issue("stranger", issue("Other CA")), "issuer of the client certificate"),
        (issue("late", CLIENTS, days=-2), "as expired"),
    ],
    ids=["none", "of another authority", "expired"],
)
async def test_ft36_refused_client_certificate_is_told_and_nothing_is_taken(
    shop: Shop, strict: TlsHost, shown: Identity | None, told: str
) -> None:
    await shop.work()
    ended, attempt = await outcome(shop, await integration_over(shop, strict.url(), showing(shown)))
    assert (ended.state.status, attempt.outcome) == (Status.DEAD, Outcome.CONNECT_FAILED)
    assert told in (attempt.error_detail or ""), attempt
    assert strict.seen == []


@pytest.mark.parametrize("trusted", [None, issue("Company CA")], ids=["public authorities", "a namesake"])
async def test_ft36_host_of_an_authority_that_is_not_trusted_gets_nothing(
    shop: Shop, tmp_path: Path, trusted: Identity | None
) -> None:
    await shop.work()
    async with tls_host(server_context(tmp_path, issue("host", COMPANY))) as host:
        ended, attempt = await outcome(
            shop, await integration_over(shop, host.url(), showing(issue("c", CLIENTS), trusted))
        )
        assert (ended.state.status, attempt.outcome) == (Status.DEAD, Outcome.CONNECT_FAILED)
        assert "TLS failed" in (attempt.error_detail or "")
        assert host.seen == []


async def test_integrations_with_different_certificates_never_share_a_connection(
    shop: Shop, demanding: TlsHost
) -> None:
    await shop.work()
    mine = await integration_over(shop, demanding.url("/mine"), showing(issue("mine", CLIENTS)))
    yours = await integration_over(shop, demanding.url("/yours"), showing(issue("yours", CLIENTS)))
    events = {
        await emit(shop, one, f"A{n % 3}"): name for n in range(12) for one, name in ((mine, "mine"), (yours, "yours"))
    }
    for event_id in events:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    shown = {body_id: one.client for one in demanding.seen for body_id in events if body_id.encode() in one.body}
    assert shown == events
    by_connection: dict[object, set[str]] = {}
    for one in demanding.seen:
        by_connection.setdefault(one.peer, set()).add(one.client)
    assert all(len(names) == 1 for names in by_connection.values())
    assert len(by_connection) < len(demanding.seen), "connections are kept"


async def test_secrets_of_a_transport_that_are_repeated_are_not_kept(shop: Shop) -> None:
    own = issue("shop-1", CLIENTS)
    shop.host.default = Reply(500, f"wr0ng-pass and {own.key_pem}".encode(), {"Content-Type": "text/plain"})
    await shop.work()
    async with tunnel_proxy() as proxy:
        transport = replace(showing(own), proxy_url=proxy.url, proxy_username="me", proxy_password="wr0ng-pass")
        _, attempt = await outcome(shop, await integration_over(shop, shop.host.url(), transport))
    assert attempt.http_status == 500
    assert attempt.response_body == "****** and ******"


async def test_certificates_that_cannot_be_used_are_told_and_nothing_is_sent(shop: Shop, demanding: TlsHost) -> None:
    await shop.work()
    mixed = replace(showing(issue("a", CLIENTS)), private_key=issue("b", CLIENTS).key_pem)
    _, attempt = await outcome(shop, await integration_over(shop, demanding.url(), mixed))
    assert (attempt.outcome, attempt.error_code) == (Outcome.BLOCKED, "CONFIGURATION_ERROR")
    assert "save them again" in (attempt.error_detail or "")
    await asyncio.sleep(0)
    assert demanding.seen == []

"""Pings take the way that deliveries take, and tell what is wrong with certificates and proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.pings.credentials import try_credentials
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AuthMethod, Transport
from dispatcher.model.ping import PingStatus, PingStep, PingTest, StepName
from dispatcher.policy.addresses.urls import check_url
from dispatcher.store.definitions.pings.starter import open_jobs
from dispatcher.store.definitions.pings.trials import Trials
from tests.authorization_server import AuthorizationServer, Client
from tests.tls_parts import Identity, TlsHost, issue, server_context, strict_host, tls_host, tunnel_proxy
from tests.worker.conftest import Shop
from tests.worker.test_ping import Pings
from tests.worker.transport_parts import CLIENTS, COMPANY, integration_over, showing


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[TlsHost]:
    async with strict_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        yield host


async def pinged(shop: Shop, url: str, transport: Transport) -> PingTest:
    await shop.work()
    integration = await integration_over(shop, url, transport)
    return await Pings(shop).run(integration, EventType.SUBSCRIPTION_CHANGE)


def steps(test: PingTest) -> dict[StepName, PingStep]:
    return {step.name: step for step in test.results[0].steps}


async def test_ping_shows_the_client_certificate_as_deliveries_do(shop: Shop, strict: TlsHost) -> None:
    test = await pinged(shop, strict.url(), showing(issue("shop-1", CLIENTS)))
    assert test.status is PingStatus.PASSED, test
    assert steps(test)[StepName.TLS].ok is True
    assert [one.client for one in strict.seen] == ["shop-1"]


@pytest.mark.parametrize(
    ("shown", "text", "remedy"),
    [
        (None, "wants a client certificate", "Set transport.clientCertificate"),
        (issue("x", issue("Other CA")), "does not know the issuer", "Have the host trust the issuer"),
    ],
)
async def test_ping_tells_how_the_host_refuses_the_client_certificate(
    shop: Shop, strict: TlsHost, shown: Identity | None, text: str, remedy: str
) -> None:
    test = await pinged(shop, strict.url(), showing(shown))
    tls = steps(test)[StepName.TLS]
    assert (test.status, tls.ok) == (PingStatus.FAILED, False)
    assert text in tls.text
    assert remedy in (tls.remedy or "")
    assert strict.seen == []


async def test_ping_hears_a_host_hang_up_that_sends_no_alert(shop: Shop, tmp_path: Path) -> None:
    async with tls_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        tls = steps(await pinged(shop, host.url(), showing(None)))[StepName.TLS]
    assert tls.ok is False
    assert "hung up" in tls.text or "broke off" in tls.text
    assert "transport.clientCertificate" in (tls.remedy or "")


async def test_ping_tells_that_the_hosts_authority_is_not_known(shop: Shop, tmp_path: Path) -> None:
    async with tls_host(server_context(tmp_path, issue("host", COMPANY))) as host:
        tls = steps(await pinged(shop, host.url(), Transport()))[StepName.TLS]
    assert tls.ok is False
    assert "transport.caCertificates" in (tls.remedy or "")


async def test_ping_through_a_proxy_tells_every_step(shop: Shop, strict: TlsHost) -> None:
    async with tunnel_proxy("me:pw") as proxy:
        transport = replace(
            showing(issue("shop-1", CLIENTS)), proxy_url=proxy.url, proxy_username="me", proxy_password="pw"
        )
        test = await pinged(shop, strict.url(), transport)
        assert test.status is PingStatus.PASSED, test
        assert steps(test)[StepName.CONNECT].text == f"connected to port {strict.port} through the proxy"
        assert steps(test)[StepName.TLS].ok is True
        assert proxy.asked == [f"CONNECT 127.0.0.1:{strict.port} HTTP/1.1"] * 2


async def test_ping_tells_what_the_proxy_says_and_hides_its_password(shop: Shop, strict: TlsHost) -> None:
    async with tunnel_proxy("me:pw") as proxy:
        transport = replace(showing(None), proxy_url=proxy.url, proxy_username="me", proxy_password="wr0ng-pass")
        test = await pinged(shop, strict.url(), transport)
    connect = steps(test)[StepName.CONNECT]
    assert (connect.ok, connect.text) == (False, "the proxy answered 407 instead of connecting")
    assert "transport.proxyPassword" in (connect.remedy or "")
    assert "wr0ng-pass" not in repr(test)


async def test_ping_tells_that_no_proxy_is_there(shop: Shop, strict: TlsHost) -> None:
    async with tunnel_proxy() as proxy:
        gone = proxy.url
    connect = steps(await pinged(shop, strict.url(), Transport(proxy_url=gone)))[StepName.CONNECT]
    assert (connect.ok, connect.text) == (False, "no connection to the proxy")


async def test_credentials_bound_to_a_certificate_can_be_tried_before_they_are_saved(
    shop: Shop, tmp_path: Path
) -> None:
    server = AuthorizationServer(tls=server_context(tmp_path, issue("login", COMPANY), CLIENTS))
    server.register(Client("shop", "tls_client_auth", certificate="shop-1"))
    await server.start()
    await shop.work()
    rule = partial(check_url, require_https=False, allow_networks=shop.settings.allow_networks)
    editor = Editor(shop.sealer, lambda url, field: rule(url, field=field))
    trials = Trials(shop.redis, open_jobs(shop.redis, None))
    credentials = {
        "type": "OAUTH2",
        "clientId": "shop",
        "tokenUri": server.token_url,
        "authMethod": AuthMethod.TLS_CLIENT_AUTH.value,
    }
    for name, granted in (("shop-1", True), ("shop-2", False)):
        own = issue(name, CLIENTS)
        transport = {"clientCertificate": own.pem, "privateKey": own.key_pem, "caCertificates": COMPANY.pem}
        changes = {"outboundCredentials": credentials, "transport": transport}
        tried = await try_credentials(shop.definitions, editor, trials, None, changes)
        assert tried.success is granted, tried
        assert "PRIVATE KEY" not in repr(tried)
    assert (await shop.definitions.integrations()).items == []
    await server.stop()

"""Deliveries that go through a proxy: the integration's, the deployment's, and never the environment's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials, Transport
from dispatcher.model.status import Status
from dispatcher.store.secrets import fields as sealed_fields
from tests.authorization_server import AuthorizationServer, Client
from tests.tls_parts import TlsHost, issue, tunnel_proxy
from tests.worker.conftest import Shop
from tests.worker.transport_parts import CLIENTS, changed, demanding, integration_over, outcome, showing

__all__ = ["demanding"]


async def test_proxy_tunnels_tls_and_never_sees_what_is_sent(shop: Shop, demanding: TlsHost) -> None:
    await shop.work()
    async with tunnel_proxy("user:pass word") as proxy:
        transport = replace(
            showing(issue("shop-1", CLIENTS)), proxy_url=proxy.url, proxy_username="user", proxy_password="pass word"
        )
        ended, _ = await outcome(shop, await integration_over(shop, demanding.url(), transport))
        assert ended.state.status is Status.SUCCEEDED
        assert proxy.asked == [f"CONNECT 127.0.0.1:{demanding.port} HTTP/1.1"]
    assert [one.client for one in demanding.seen] == ["shop-1"]


async def test_plain_http_goes_through_the_proxy_as_well(shop: Shop) -> None:
    await shop.work()
    async with tunnel_proxy() as proxy:
        integration = await integration_over(shop, shop.host.url(), Transport(proxy_url=proxy.url))
        assert (await outcome(shop, integration))[0].state.status is Status.SUCCEEDED
        assert proxy.asked == [f"POST {shop.host.url()} HTTP/1.1"]
    assert "Proxy-Authorization" not in shop.host.requests[0].headers


async def test_proxy_that_refuses_or_is_away_is_told(shop: Shop, demanding: TlsHost) -> None:
    await shop.work()
    async with tunnel_proxy("user:secret") as proxy:
        transport = replace(showing(None), proxy_url=proxy.url, proxy_username="user", proxy_password="guessed")
        integration = await integration_over(shop, demanding.url(), transport)
        _, attempt = await outcome(shop, integration)
        assert attempt.outcome is Outcome.CONNECT_FAILED
        assert attempt.error_detail == "the proxy answered 407 instead of connecting"
    _, attempt = await outcome(shop, integration)
    assert attempt.error_detail == "no connection to the proxy"
    assert demanding.seen == []


async def test_deployments_proxy_takes_everything_and_no_other_is_used(
    shop: Shop, authorization_server: AuthorizationServer, demanding: TlsHost
) -> None:
    authorization_server.register(Client("shop", "client_secret_post", "S3cre1!"))
    async with tunnel_proxy("operator:0p") as own, tunnel_proxy() as theirs:
        await shop.work(proxy_url=SecretStr(own.url.replace("//", "//operator:0p@")))
        plain = await integration_over(shop, shop.host.url(), Transport())
        secret = shop.sealer.seal("S3cre1!", sealed_fields.client_secret(plain.id))
        url = authorization_server.token_url
        post = AuthMethod.CLIENT_SECRET_POST
        credentials = OutboundCredentials(CredentialType.OAUTH2, "shop", secret, url, auth_method=post)
        await outcome(shop, await changed(shop, plain, Transport(), credentials))
        assert own.asked == [f"POST {url} HTTP/1.1", f"POST {shop.host.url()} HTTP/1.1"]
        assert len(shop.host.requests) == 1
        mutual = await integration_over(shop, demanding.url(), showing(issue("shop-1", CLIENTS)))
        assert (await outcome(shop, mutual))[0].state.status is Status.SUCCEEDED
        assert own.asked[2:] == [f"CONNECT 127.0.0.1:{demanding.port} HTTP/1.1"]
        assert [one.client for one in demanding.seen] == ["shop-1"]
        around = await integration_over(shop, shop.host.url(), Transport(proxy_url=theirs.url))
        _, attempt = await outcome(shop, around)
        assert (attempt.outcome, attempt.error_code) == (Outcome.BLOCKED, "CONFIGURATION_ERROR")
        assert "own proxy" in (attempt.error_detail or "")
        assert theirs.connections == 0
    assert len(shop.host.requests) == 1


async def test_proxies_of_the_environment_are_ignored(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tunnel_proxy() as environments:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, environments.url)
        await shop.work()
        assert (await outcome(shop, await shop.integration()))[0].state.status is Status.SUCCEEDED
        assert environments.connections == 0

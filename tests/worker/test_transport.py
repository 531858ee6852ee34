"""Integrations that prove themselves by client certificates, trust private authorities and go through proxies."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from dispatcher.flow.publish import publish
from dispatcher.ids import new_event_id
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AuthMethod, CredentialType, Integration, OutboundCredentials, Transport
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store import sealed_fields
from tests.authorization_server import AuthorizationServer, Client
from tests.hosts import Reply
from tests.tls_parts import Identity, TlsHost, issue, server_context, strict_host, tls_host, tunnel_proxy
from tests.worker.conftest import Shop

COMPANY = issue("Company CA")
CLIENTS = issue("Client CA")
MIDDLE = issue("Client issuer", CLIENTS)
SELF_SIGNED = issue("myself")
NOBODY = OutboundCredentials()


def showing(identity: Identity | None, trusted: Identity | None = COMPANY) -> Transport:
    return Transport(
        client_certificate=identity.pem if identity else "",
        private_key=identity.key_pem if identity else "",
        ca_certificates=trusted.pem if trusted else "",
    )


def sealed(shop: Shop, integration_id: str, transport: Transport) -> Transport:
    contexts = {"private_key": sealed_fields.transport_key, "proxy_password": sealed_fields.proxy_password}
    values = {
        name: shop.sealer.seal(text, context(integration_id))
        for name, context in contexts.items()
        if (text := getattr(transport, name))
    }
    return replace(transport, **values)


async def integration_over(
    shop: Shop, url: str, transport: Transport, credentials: OutboundCredentials = NOBODY
) -> Integration:
    """Published with ``transport``, whose secrets come in clear."""
    made = await shop.integration({"upgradeUrl": url}, schedule_s=(0.05,))
    return await changed(shop, made, transport, credentials)


async def changed(
    shop: Shop, integration: Integration, transport: Transport, credentials: OutboundCredentials
) -> Integration:
    own = sealed(shop, integration.id, transport)
    await shop.definitions.edit(
        integration.id, lambda one: replace(one, working=replace(one.working, transport=own, credentials=credentials))
    )
    return await publish(shop.definitions, integration.id, "test", 3)


async def emit(shop: Shop, integration: Integration, account: str = "A") -> str:
    """An event of the newest published revision."""
    event_id = new_event_id(1, shop.queue.partition_of(integration.id))
    number = integration.published_revision or 0
    event = Event(event_id, EventType.SUBSCRIPTION_CHANGE, integration.id, number, product_id="P", account_id=account)
    await shop.queue.accept([event])
    return event_id


async def outcome(shop: Shop, integration: Integration) -> tuple[StoredEvent, Attempt]:
    event_id = await emit(shop, integration)
    ended = await shop.ended(event_id)
    return ended, (await shop.attempts([event_id]))[-1]


async def first_attempt(shop: Shop, integration: Integration) -> Attempt:
    """Without waiting for the next: a token failure is remembered for some seconds."""
    event_id = await emit(shop, integration)
    await shop.status(event_id, Status.RETRYING)
    return (await shop.attempts([event_id]))[0]


@pytest.fixture
async def demanding(tmp_path: Path) -> AsyncIterator[TlsHost]:
    """A host of the private authority that only lets in clients of the client authority."""
    async with tls_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        yield host


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[TlsHost]:
    """The same, and it tells by an alert whom it refuses."""
    async with strict_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        yield host


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


@pytest.fixture
async def token_server(tmp_path: Path) -> AsyncIterator[AuthorizationServer]:
    """Its clients have certificates of the client authority, or their own registered one."""
    folder = tmp_path / "authorization"
    folder.mkdir()
    context = server_context(folder, issue("login", COMPANY), CLIENTS)
    context.load_verify_locations(cadata=SELF_SIGNED.pem)
    server = AuthorizationServer(tls=context)
    await server.start()
    yield server
    await server.stop()


def bound(server: AuthorizationServer, method: AuthMethod = AuthMethod.TLS_CLIENT_AUTH) -> OutboundCredentials:
    return OutboundCredentials(CredentialType.OAUTH2, "shop", token_uri=server.token_url, auth_method=method)


@pytest.mark.parametrize(
    ("method", "identity"),
    [(AuthMethod.TLS_CLIENT_AUTH, issue("shop-1", CLIENTS)), (AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH, SELF_SIGNED)],
)
async def test_token_is_got_by_the_client_certificate_alone(
    shop: Shop, token_server: AuthorizationServer, method: AuthMethod, identity: Identity
) -> None:
    der = ssl.PEM_cert_to_DER_cert(identity.pem)
    token_server.register(Client("shop", method.value, certificate=der))
    await shop.work()
    integration = await integration_over(shop, shop.host.url(), showing(identity), bound(token_server, method))
    assert (await outcome(shop, integration))[0].state.status is Status.SUCCEEDED
    assert token_server.forms == [{"grant_type": "client_credentials", "client_id": "shop"}]
    assert "Authorization" not in token_server.headers[0]
    (granted,) = token_server.granted
    assert shop.host.requests[0].headers["Authorization"] == f"Bearer {granted['access_token']}"


async def test_wrong_certificate_gets_no_token_and_nothing_is_sent(
    shop: Shop, token_server: AuthorizationServer
) -> None:
    token_server.register(Client("shop", "tls_client_auth", certificate="shop-1"))
    await shop.work()
    transport = showing(issue("shop-2", CLIENTS))
    integration = await integration_over(shop, shop.host.url(), transport, bound(token_server))
    attempt = await first_attempt(shop, integration)
    assert (attempt.outcome, attempt.error_code) == (Outcome.TOKEN_FAILED, "UNAUTHORIZED")
    assert shop.host.requests == []


async def test_ft36_certificate_that_the_token_endpoint_does_not_know_is_told(shop: Shop, strict: TlsHost) -> None:
    await shop.work()
    stranger = showing(issue("shop-1", issue("Other CA")))
    credentials = OutboundCredentials(
        CredentialType.OAUTH2, "shop", token_uri=strict.url("/token"), auth_method=AuthMethod.TLS_CLIENT_AUTH
    )
    attempt = await first_attempt(shop, await integration_over(shop, shop.host.url(), stranger, credentials))
    assert (attempt.outcome, attempt.error_code) == (Outcome.TOKEN_FAILED, "TRANSPORT_ERROR")
    assert "issuer of the client certificate" in (attempt.error_detail or "")
    assert (strict.seen, shop.host.requests) == ([], [])


async def test_token_of_one_certificate_is_not_used_with_another(shop: Shop, token_server: AuthorizationServer) -> None:
    """It may be bound to the certificate (RFC 8705 §3)."""
    token_server.register(Client("shop", "tls_client_auth", certificate="shop-1"))
    await shop.work()
    credentials = bound(token_server)
    integration = await integration_over(shop, shop.host.url(), showing(issue("shop-1", CLIENTS)), credentials)
    await outcome(shop, integration)
    await outcome(shop, integration)
    assert len(token_server.granted) == 1
    renewed = await changed(shop, integration, showing(issue("shop-1", CLIENTS)), credentials)
    await outcome(shop, renewed)
    assert len(token_server.granted) == 2


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


async def test_secrets_of_a_transport_that_are_repeated_are_not_kept(shop: Shop) -> None:
    own = issue("shop-1", CLIENTS)
    shop.host.default = Reply(500, f"wr0ng-pass and {own.key_pem}".encode(), {"Content-Type": "text/plain"})
    await shop.work()
    async with tunnel_proxy() as proxy:
        transport = replace(showing(own), proxy_url=proxy.url, proxy_username="me", proxy_password="wr0ng-pass")
        _, attempt = await outcome(shop, await integration_over(shop, shop.host.url(), transport))
    assert attempt.http_status == 500
    assert attempt.response_body == "****** and ******"


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


async def test_certificates_that_cannot_be_used_are_told_and_nothing_is_sent(shop: Shop, demanding: TlsHost) -> None:
    await shop.work()
    mixed = replace(showing(issue("a", CLIENTS)), private_key=issue("b", CLIENTS).key_pem)
    _, attempt = await outcome(shop, await integration_over(shop, demanding.url(), mixed))
    assert (attempt.outcome, attempt.error_code) == (Outcome.BLOCKED, "CONFIGURATION_ERROR")
    assert "save them again" in (attempt.error_detail or "")
    await asyncio.sleep(0)
    assert demanding.seen == []

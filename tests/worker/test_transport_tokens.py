"""Tokens that are got by a client certificate, and are bound to it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials
from dispatcher.model.status import Status
from tests.authorization_server import AuthorizationServer, Client
from tests.tls_parts import Identity, TlsHost, issue, server_context
from tests.worker.conftest import Shop
from tests.worker.transport_parts import (
    CLIENTS,
    COMPANY,
    SELF_SIGNED,
    changed,
    first_attempt,
    integration_over,
    outcome,
    showing,
    strict,
)

__all__ = ["strict"]


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

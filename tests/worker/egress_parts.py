"""Ways out for tests: names that resolve as told, and sessions that are counted. Holds no test."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from dispatcher.model.integration import Transport
from dispatcher.policy.addresses.networks import refusal
from dispatcher.policy.addresses.proxies import ProxyAddress
from dispatcher.policy.addresses.urls import url_refusal
from tests.tls_parts import issue
from worker.http.aiohttp_inside.session import Session
from worker.http.connector import blocked_reason
from worker.http.transport import Egress, Route, route_of
from worker.http.transport_sessions import TransportSessions

LOOPBACK = (ip_network("127.0.0.0/8"),)
COMPANY = issue("Company CA")


class Names(AbstractResolver):
    """Knows what it was told; other names do not exist."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("no such name")
        return [ResolveResult(hostname=host, host=self.known[host], port=port, family=2, proto=6, flags=0)]

    async def close(self) -> None:
        """Holds nothing."""


def egress(*, inside: bool = True, proxy: ProxyAddress | None = None, names: Names | None = None) -> Egress:
    """``inside``: loopback is allowed."""
    networks = LOOPBACK if inside else ()
    return Egress(
        partial(refusal, allow_networks=networks),
        partial(url_refusal, require_https=False, allow_networks=networks),
        proxy,
        resolver=names or Names(),
    )


def route(transport: Transport) -> Route:
    found = route_of(transport)
    assert found is not None
    return found


class Opened:
    """Counts what it opens."""

    def __init__(self, way: Egress) -> None:
        self.way = way
        self.sessions: list[Session] = []

    def __call__(self, transport: Transport, tls: ssl.SSLContext | None) -> Session:
        self.sessions.append(self.way.session(transport, tls))
        return self.sessions[-1]


@pytest.fixture
async def plain() -> AsyncIterator[Session]:
    async with egress().plain() as session:
        yield session


async def status_over(sessions: TransportSessions, way: Route, url: str) -> int:
    return (await sessions.post(way, url, b"{}", {}, timeout_s=5)).status


async def refusal_over(way: Egress, transport: Transport, url: str) -> str | None:
    """Why nothing is sent by that way; None = it is."""
    async with way.session(transport, None) as session, TransportSessions(session, way.session) as sessions:
        try:
            await sessions.post(None, url, b"{}", {}, timeout_s=5)
            return None
        except (OSError, aiohttp.ClientError) as error:
            return blocked_reason(error) or f"not refused, but failed: {error}"

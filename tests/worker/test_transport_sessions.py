"""One session for each distinct transport: opened once, never closed under a request, never kept for ever."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dispatcher.model.integration import Transport
from dispatcher.model.ping import StepName
from dispatcher.policy.addresses import refusal
from dispatcher.policy.proxies import ProxyAddress, read_proxy
from dispatcher.policy.urls import url_refusal
from tests.hosts import ProductHost, Reply
from tests.tls_parts import issue, server_context, strict_host, tls_host, tunnel_proxy
from worker.connector import AddressBlocked, blocked_reason
from worker.ping_connection import Wayfinder
from worker.session import Session
from worker.transport import Egress, Route, route_of
from worker.transport_proxy import TargetCheck
from worker.transport_sessions import TransportSessions
from worker.transport_tls import TransportUnusable, tls_context

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


async def test_without_a_transport_everything_goes_over_the_one_plain_session(
    plain: Session, product_host: ProductHost
) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened) as sessions:
        assert (await sessions.post(None, product_host.url(), b"{}", {})).status == 200
    assert (opened.sessions, route_of(Transport())) == ([], None)


async def test_requests_that_start_together_open_one_session(plain: Session) -> None:
    opened = Opened(egress())
    same = Transport(ca_certificates=COMPANY.pem)

    async def use() -> Session:
        async with sessions.session(route(same)) as session:
            return session

    async with TransportSessions(plain, opened) as sessions:
        used = await asyncio.gather(*(use() for _ in range(20)))
        assert len(opened.sessions) == len(set(map(id, used))) == 1
        async with sessions.session(route(Transport(ca_certificates=issue("Other CA").pem))) as other:
            assert other is not used[0]
    assert all(session.closed for session in opened.sessions)
    assert not plain.closed


async def test_sessions_beyond_the_capacity_close_but_never_under_a_request(
    plain: Session, product_host: ProductHost
) -> None:
    product_host.default = Reply(delay_s=0.3)
    opened = Opened(egress())
    async with TransportSessions(plain, opened, capacity=1) as sessions, tunnel_proxy() as proxy:
        slow = route(Transport(proxy_url=proxy.url))
        running = asyncio.create_task(_status(sessions, slow, product_host.url()))
        await product_host.wait_for(1)
        for name in ("a", "b", "c"):
            async with sessions.session(route(Transport(proxy_url=proxy.url, proxy_username=name))):
                pass
        assert not opened.sessions[0].closed
        assert await running == 200
        async with asyncio.timeout(10):
            while sum(session.closed for session in opened.sessions) < 3:
                await asyncio.sleep(0.01)
        assert sessions.open_count == 1
        assert len(opened.sessions) == 4


async def test_session_that_nobody_uses_is_closed_after_a_while(plain: Session) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened, idle_s=0.05) as sessions:
        async with sessions.session(route(Transport(ca_certificates=COMPANY.pem))):
            await asyncio.sleep(0.15)
            assert not opened.sessions[0].closed
        async with asyncio.timeout(10):
            while not opened.sessions[0].closed:
                await asyncio.sleep(0.01)
        assert sessions.open_count == 0


async def test_transport_that_failed_is_tried_again_by_the_next(plain: Session) -> None:
    broken = route(Transport(ca_certificates="no certificate"))
    async with TransportSessions(plain, egress().session) as sessions:
        for _ in range(2):
            with pytest.raises(TransportUnusable, match="save them again"):
                await _status(sessions, broken, "http://127.0.0.1:1/")
            assert sessions.open_count == 0


async def test_request_that_is_given_up_leaves_the_session_to_the_others(plain: Session) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened) as sessions:
        first = asyncio.create_task(_status(sessions, route(Transport(ca_certificates=COMPANY.pem)), "http://a.test/"))
        await asyncio.sleep(0)
        first.cancel()
        async with sessions.session(route(Transport(ca_certificates=COMPANY.pem))) as session:
            assert not session.closed
        assert len(opened.sessions) == 1


def test_equal_transports_have_one_name_and_it_tells_nothing() -> None:
    own = issue("shop", COMPANY)
    one = Transport(own.pem, own.key_pem)
    assert route(one) == route(Transport(own.pem, own.key_pem))
    others = [Transport(own.pem, issue("x").key_pem), Transport(own.pem, own.key_pem, COMPANY.pem)]
    assert len({route(one).name, *(route(other).name for other in others)}) == 3
    assert "PRIVATE" not in repr(route(one))


def test_private_authority_replaces_the_systems() -> None:
    context = tls_context(Transport(ca_certificates=COMPANY.pem))
    assert context is not None
    assert context.cert_store_stats()["x509"] == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    own = issue("shop")
    with_both = tls_context(Transport(own.pem, own.key_pem))
    assert with_both is not None
    assert with_both.verify_mode is ssl.CERT_REQUIRED
    assert tls_context(Transport(proxy_url="http://proxy.example:3128")) is None


def test_private_key_is_never_in_a_file_in_clear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[bytes] = []
    real = ssl.SSLContext.load_cert_chain

    def spying(self: ssl.SSLContext, chain: Path, key: Path, password: str) -> None:
        written.append(key.read_bytes())
        real(self, chain, key, password)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spying)
    own = issue("shop")
    tls_context(Transport(own.pem, own.key_pem))
    assert b"ENCRYPTED" in written[0]
    assert list(tmp_path.iterdir()) == []


async def test_bi42_integrations_proxy_must_be_a_public_address() -> None:
    async with tunnel_proxy() as proxy:
        with pytest.raises(AddressBlocked) as refused:
            egress(inside=False).proxy_of(Transport(proxy_url=proxy.url))
        assert refused.value.reason == "loopback"
        named = Transport(proxy_url=f"http://proxy.example.com:{proxy.port}")
        names = Names(**{"proxy.example.com": "127.0.0.1", "shop.example.com": "93.184.216.34"})
        assert await _refusal(egress(inside=False, names=names), named, "https://shop.example.com/") == "loopback"
        assert proxy.connections == 0


async def test_deployments_proxy_may_be_inside_but_what_lies_inside_is_not_asked_of_it() -> None:
    async with tunnel_proxy() as server:
        proxy = read_proxy(server.url)
        assert isinstance(proxy, ProxyAddress)
        names = Names(**{"rebound.example.com": "10.0.0.7", "redis.example.com": "::1"})
        way = egress(inside=False, proxy=proxy, names=names)
        targets = {
            "http://127.0.0.1:8080/": "loopback",
            "https://10.1.2.3/": "private",
            "https://[::ffff:169.254.169.254]/": "metadata",
            "http://0x7f000001/": "loopback",
            "https://rebound.example.com/": "private",
            "https://redis.example.com/": "loopback",
            "https://db.internal/": "special_name",
            "https://localhost/": "loopback",
            "https://example.com:6379/": "port",
        }
        for url, reason in targets.items():
            assert await _refusal(way, Transport(), url) == reason, url
            ways = Wayfinder(way.rule, resolver=names, egress=way)
            (step,) = await ways.look(url)
            assert (step.name, step.ok) == (StepName.ADDRESS, False), step
        assert server.connections == 0


async def test_name_that_only_the_proxy_knows_is_left_to_the_proxy(product_host: ProductHost) -> None:
    async with tunnel_proxy(leads_to=("127.0.0.1", product_host.port)) as server:
        proxy = read_proxy(server.url)
        assert isinstance(proxy, ProxyAddress)
        way = egress(inside=False, proxy=proxy, names=Names())
        assert await _refusal(way, Transport(), "http://only-there.example.com/hook") is None
        assert server.asked == ["POST http://only-there.example.com/hook HTTP/1.1"]
    assert len(product_host.requests) == 1


async def test_verdict_on_a_name_is_kept_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(**{"a.example.com": "93.184.216.34"})
    way = egress(inside=False, names=names)
    check = TargetCheck(way.rule, way.url_rule, names, 1.0)
    for _ in range(3):
        assert await check.refusal(URL("https://a.example.com/")) is None
    assert names.asked == ["a.example.com"]
    names.known["a.example.com"] = "10.0.0.1"
    monkeypatch.setattr("worker.transport_proxy.time.monotonic", lambda: float("inf"))
    assert await check.refusal(URL("https://a.example.com/")) == "private"


async def test_pooled_connections_of_two_certificates_stay_apart(plain: Session, tmp_path: Path) -> None:
    clients = issue("Client CA")
    async with (
        tls_host(server_context(tmp_path, issue("host", COMPANY), clients)) as host,
        TransportSessions(plain, egress().session) as sessions,
    ):
        shown = [issue(name, clients) for name in ("one", "two")]
        routes = [route(Transport(one.pem, one.key_pem, COMPANY.pem)) for one in shown]
        for turn in range(6):
            assert await _status(sessions, routes[turn % 2], host.url()) == 200
        assert [one.client for one in host.seen] == ["one", "two"] * 3
        assert len({one.peer for one in host.seen}) == 2


async def test_ft36_certificate_is_not_shown_to_a_host_that_is_not_trusted(plain: Session, tmp_path: Path) -> None:
    own = issue("shop")
    async with (
        strict_host(server_context(tmp_path, issue("host", issue("Other CA")), own)) as host,
        TransportSessions(plain, egress().session) as sessions,
    ):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await _status(sessions, route(Transport(own.pem, own.key_pem, COMPANY.pem)), host.url())
        assert host.seen == []


async def _status(sessions: TransportSessions, way: Route, url: str) -> int:
    return (await sessions.post(way, url, b"{}", {}, timeout_s=5)).status


async def _refusal(way: Egress, transport: Transport, url: str) -> str | None:
    """Why nothing is sent by that way; None = it is."""
    async with way.session(transport, None) as session, TransportSessions(session, way.session) as sessions:
        try:
            await sessions.post(None, url, b"{}", {}, timeout_s=5)
            return None
        except (OSError, aiohttp.ClientError) as error:
            return blocked_reason(error) or f"not refused, but failed: {error}"

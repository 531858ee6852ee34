"""The way out of a transport: whom it trusts, what it shows, and which addresses it may be led to."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from dispatcher.model.integration import Transport
from dispatcher.model.ping import StepName
from dispatcher.policy.addresses.proxies import ProxyAddress, read_proxy
from tests.hosts import ProductHost
from tests.tls_parts import issue, server_context, strict_host, tunnel_proxy
from tests.worker.egress_parts import COMPANY, Names, egress, plain, refusal_over, route, status_over
from worker.http.aiohttp_inside.session import Session
from worker.http.connector import AddressBlocked
from worker.http.proxies import TargetCheck
from worker.http.tls import tls_context
from worker.http.transport_sessions import TransportSessions
from worker.ping.connection import ConnectionCheck

__all__ = ["plain"]


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
        assert await refusal_over(egress(inside=False, names=names), named, "https://shop.example.com/") == "loopback"
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
            assert await refusal_over(way, Transport(), url) == reason, url
            ways = ConnectionCheck(way.rule, resolver=names, egress=way)
            (step,) = await ways.steps(url)
            assert (step.name, step.ok) == (StepName.ADDRESS, False), step
        assert server.connections == 0


async def test_name_that_only_the_proxy_knows_is_left_to_the_proxy(product_host: ProductHost) -> None:
    async with tunnel_proxy(leads_to=("127.0.0.1", product_host.port)) as server:
        proxy = read_proxy(server.url)
        assert isinstance(proxy, ProxyAddress)
        way = egress(inside=False, proxy=proxy, names=Names())
        assert await refusal_over(way, Transport(), "http://only-there.example.com/hook") is None
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
    monkeypatch.setattr("worker.http.proxies.time.monotonic", lambda: float("inf"))
    assert await check.refusal(URL("https://a.example.com/")) == "private"


async def test_ft36_certificate_is_not_shown_to_a_host_that_is_not_trusted(plain: Session, tmp_path: Path) -> None:
    own = issue("shop")
    async with (
        strict_host(server_context(tmp_path, issue("host", issue("Other CA")), own)) as host,
        TransportSessions(plain, egress().session) as sessions,
    ):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status_over(sessions, route(Transport(own.pem, own.key_pem, COMPANY.pem)), host.url())
        assert host.seen == []

"""Deliveries never reach this deployment itself: its interfaces, its listener, its Redis."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address, ip_network

import aiohttp
import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.settings import Settings
from tests.raw_server import RawServer
from tests.worker.conftest import Shop
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.connector import blocked_reason
from worker.http.own_addresses import hosts_of, interface_addresses, own_addresses
from worker.resources import egress_of


def settings(**more: object) -> Settings:
    return Settings.model_validate({"secret_keys": ("0" * 64,), **more})


def test_every_address_that_this_machine_can_listen_at_is_known() -> None:
    found = interface_addresses()
    assert ip_address("127.0.0.1") in found
    for one in found:
        family = socket.AF_INET if one.version == 4 else socket.AF_INET6
        if one.is_link_local:
            continue
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.bind((str(one), 0))


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("redis://user:p%40ss@redis.example.com:6379/0", ["redis.example.com"]),
        ("rediss://[2606:4700::1]:6380", ["2606:4700::1"]),
        ("redis+sentinel://a:26379,b/master", ["a", "b"]),
        ("redis+cluster://10.0.0.1,10.0.0.2:7001", ["10.0.0.1", "10.0.0.2"]),
        ("unix:///run/redis.sock", []),
    ],
)
def test_hosts_of_redis_urls(url: str, hosts: list[str]) -> None:
    assert list(hosts_of([url])) == hosts


async def test_names_are_resolved_and_unknown_ones_left_out() -> None:
    found = await own_addresses(["93.184.216.34", "nowhere.invalid", "0.0.0.0"])
    assert ip_address("93.184.216.34") in found
    assert ip_address("0.0.0.0") not in found


async def test_bi42_own_listener_and_redis_are_refused_unless_the_operator_allows_them() -> None:
    """Public addresses stand for them: private ones are refused anyway."""
    own = await own_addresses(hosts_of(["redis://93.184.216.34:6379"]))
    target = ip_address("93.184.216.34")
    assert egress_of(settings(), own).rule(target) == "own_address"
    assert egress_of(settings(), ()).rule(target) is None
    assert egress_of(settings(allow_networks="93.184.216.0/24"), own).rule(target) is None


async def test_bi42_connection_to_an_interface_of_this_machine_is_refused_as_own() -> None:
    own = await own_addresses([])
    address = next((one for one in own if one.version == 4 and not one.is_loopback), ip_address("127.0.0.1"))
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    async with RawServer(count, str(address)) as server, guarded_session(egress_of(settings(), own).rule) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await session.post(server.url, b"{}", {}, timeout_s=5)
    assert (blocked_reason(refused.value), connections) == ("own_address", 0)


def test_bi42_operators_lists_reach_the_guard() -> None:
    egress = egress_of(
        settings(
            allow_networks="10.0.0.0/8", deny_networks="10.9.0.0/16,8.8.8.0/24", allow_ports="81", deny_ports="8443"
        ),
        (),
    )
    rule = egress.rule
    assert [rule(ip_address(one)) for one in ("10.1.0.1", "10.9.0.1", "8.8.8.8", "8.8.4.4")] == [
        None,
        "denied_network",
        "denied_network",
        None,
    ]
    urls = ("https://example.com:81/", "https://example.com:8443/", "https://10.9.0.1/", "https://10.1.0.1:6379/")
    assert [egress.url_rule(url) for url in urls] == [None, "port", "denied_network", None]
    assert ip_network("10.9.0.0/16") in settings(deny_networks="10.9.0.0/16").deny_networks


async def test_bi42_running_worker_refuses_its_own_machine(shop: Shop) -> None:
    """Loopback would be ``loopback``, were it not one of this machine's own addresses."""
    await shop.work(allow_networks=())
    event_id = await shop.emit(await shop.integration(schedule_s=(0.05,)))
    await shop.ended(event_id)
    (first, *_) = await shop.attempts([event_id])
    assert (first.outcome, first.error_code) == (Outcome.BLOCKED, "CONFIGURATION_ERROR")
    assert "(own_address)" in (first.error_detail or "")
    assert shop.host.requests == []

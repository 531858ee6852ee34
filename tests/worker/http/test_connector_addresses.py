"""Addresses that may be reached, over real sockets on loopback, however they are spelt or resolved."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import aiohttp
import pytest
from aiohttp.abc import ResolveResult
from aiohttp.test_utils import TestServer, unused_port

from dispatcher.policy.addresses.networks import refusal as address_refusal
from tests.worker.http.connector_parts import ASKED, Names, anything, host, no_loopback, refusal
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.connector import blocked_reason

__all__ = ["host"]


async def test_ft34_the_deployments_rule_refuses_loopback_until_its_network_is_allowed(host: TestServer) -> None:
    url = f"http://127.0.0.1:{host.port}/"
    assert await refusal(address_refusal, url) == "loopback"
    assert host.app[ASKED] == []
    allowed = partial(address_refusal, allow_networks=(IPv4Network("127.0.0.0/8"),))
    assert await refusal(allowed, url) is None
    assert len(host.app[ASKED]) == 1


LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.8.9.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "0x7f000001",
    "0x7f.0.0.1",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "①②⑦.⓪.⓪.①",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
]


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS)
async def test_bi42_loopback_is_refused_however_it_is_spelt(host: TestServer, spelling: str) -> None:
    assert await refusal(no_loopback, f"http://{spelling}:{host.port}/") in ("loopback", "unspecified")
    assert host.app[ASKED] == []


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "017700000001", "0177.0.0.1"])
async def test_bi42_unusual_numeric_hosts_are_refused_even_where_loopback_is_allowed(
    host: TestServer, spelling: str
) -> None:
    assert await refusal(anything, f"http://{spelling}:{host.port}/") == "host"
    assert host.app[ASKED] == []


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::1", "2606:4700::1"]])
async def test_ft34_a_name_with_one_refused_address_is_refused(host: TestServer, answers: list[str]) -> None:
    assert await refusal(no_loopback, f"http://shop.example:{host.port}/", Names(answers)) == "loopback"
    assert host.app[ASKED] == []


async def test_a_name_of_an_allowed_inside_address_is_not_lost_for_its_other_one(host: TestServer) -> None:
    """``localhost`` is refused although its IPv4 network is allowed, because it is also ::1."""
    allowed = partial(address_refusal, allow_networks=(IPv4Network("127.0.0.0/8"),))
    assert await refusal(allowed, f"http://localhost:{host.port}/", Names(["::1", "127.0.0.1"])) is None
    assert len(host.app[ASKED]) == 1
    assert await refusal(allowed, f"http://shop.example:{host.port}/", Names(["::1", "8.8.8.8"])) == "loopback"


async def test_bi42_the_text_of_a_refusal_never_tells_the_address() -> None:
    async with guarded_session(no_loopback, resolver=Names(["127.0.0.1"])) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
            await session.post("http://shop.example/", b"{}", {})
    assert "127.0.0.1" not in f"{caught.value} {caught.value.os_error}"
    assert "loopback" in str(caught.value.os_error)


async def test_ft34_rebinding_is_refused_at_connect_time(host: TestServer) -> None:
    """The name passes its first check, and the rule refuses what is then connected to."""
    seen: list[str] = []

    def changes_its_mind(ip: IPv4Address | IPv6Address) -> str | None:
        seen.append(str(ip))
        return "private" if len(seen) > 1 else None

    assert await refusal(changes_its_mind, f"http://shop.example:{host.port}/", Names(["127.0.0.1"])) == "private"
    assert seen == ["127.0.0.1", "127.0.0.1"]
    assert host.app[ASKED] == []


async def test_ft34_a_name_that_rebinds_between_two_posts_is_refused(host: TestServer) -> None:
    def only_second_loopback(ip: IPv4Address | IPv6Address) -> str | None:
        return None if ip == IPv4Address("127.0.0.2") else "loopback"

    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with guarded_session(only_second_loopback, resolver=names) as session:
        for _ in range(2):
            connector = session.connector
            assert isinstance(connector, aiohttp.TCPConnector)
            connector.clear_dns_cache()
            with pytest.raises(OSError) as caught:
                await session.post(f"http://shop.example:{unused_port()}/", b"{}", {})
        assert blocked_reason(caught.value) == "loopback"
    assert len(names.lookups) == 2


async def test_ft34_an_unknown_name_is_an_ordinary_failure() -> None:
    async with guarded_session(no_loopback, resolver=Names([])) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
            await session.post("http://nowhere.example/", b"{}", {})
    assert blocked_reason(caught.value) is None


async def test_ft34_a_name_server_that_hangs_ends_at_the_connect_timeout() -> None:
    class Silent(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            await asyncio.sleep(30)
            return []

    started = asyncio.get_running_loop().time()
    async with guarded_session(anything, resolver=Silent([]), connect_timeout_s=0.2) as session:
        with pytest.raises(TimeoutError):
            await session.post("http://slow.example/", b"{}", {}, timeout_s=30)
    assert asyncio.get_running_loop().time() - started < 20


async def test_real_lookup_reaches_an_allowed_host(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        answer = await session.post(f"http://localhost:{host.port}/", b"{}", {})
        assert answer.status == 200


async def test_bi42_a_literal_address_is_judged_although_no_resolver_is_asked(host: TestServer) -> None:
    names = Names(["1.1.1.1"])
    for literal in ("127.0.0.1", "[::ffff:127.0.0.1]"):
        assert await refusal(no_loopback, f"http://{literal}:{host.port}/", names) == "loopback"
    assert (names.lookups, host.app[ASKED]) == ([], [])


async def test_bi42_port_denied_after_the_url_was_saved_is_refused_at_the_socket(host: TestServer) -> None:
    async with guarded_session(anything, denied_ports=frozenset({host.port or 0})) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.post(f"http://127.0.0.1:{host.port}/", b"{}", {})
    assert (blocked_reason(caught.value), host.app[ASKED]) == ("port", [])

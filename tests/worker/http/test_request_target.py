"""A URL arrives to the byte as it was configured, at a host, a proxy and a token endpoint on loopback."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.policy.addresses.proxies import ProxyAddress
from tests.raw_server import RawServer
from worker.http.aiohttp_inside.session import Session, guarded_session
from worker.http.proxies import ProxiedWay, TargetCheck
from worker.http.request_target import request_target, sent_url
from worker.http.resolver import SystemResolver

TARGETS = [
    ("/hook/wink%3B/x", "/hook/wink%3B/x"),
    ("/hook/wink;/x", "/hook/wink;/x"),
    ("?sp=%2Ftriggers%2Fmanual%2Frun&sig=Ab%2BcD%2FeF", "/?sp=%2Ftriggers%2Fmanual%2Frun&sig=Ab%2BcD%2FeF"),
    ("/x?sig=a+b%20c/d", "/x?sig=a+b%20c/d"),
    ("/a/../b/./c//d", "/a/../b/./c//d"),
    ("/%2e%2E/%7Euser/~user/%41", "/%2e%2E/%7Euser/~user/%41"),
    ("", "/"),
    ("/", "/"),
    ("/x?", "/x?"),
    ("/x?a?b=c/d:e@f&filter[id]=1&a=b;c=d,e!$'()*", "/x?a?b=c/d:e@f&filter[id]=1&a=b;c=d,e!$'()*"),
    ("/%", "/%25"),
    ("/100%/%zz/%2/%C3%BC", "/100%25/%25zz/%252/%C3%BC"),
    ("/über?q=€", "/%C3%BCber?q=%E2%82%AC"),
    ('/a|b^c`d<e>f"g', "/a%7Cb%5Ec%60d%3Ce%3Ef%22g"),
    ("/a b", "/a%20b"),
    ("/x#part", "/x"),
    ("/x?redirect=https://other.example/%2F?a=b", "/x?redirect=https://other.example/%2F?a=b"),
]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """Keeps the request lines that arrive, and answers 200."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(2)
            self.lines.append(head.decode("ascii").split("\r\n")[0])
            writer.write(OK)


async def posted(session: Session, urls: list[str]) -> None:
    for url in urls:
        assert (await session.post(url, b"{}", {}, timeout_s=5)).status == 200


async def test_a_url_is_sent_to_the_byte_as_it_was_configured() -> None:
    listener = Listener()
    async with RawServer(listener.talk) as host, guarded_session(lambda _: None) as session:
        await posted(session, [host.url + configured for configured, _ in TARGETS])
    assert listener.lines == [f"POST {sent} HTTP/1.1" for _, sent in TARGETS]


async def test_a_proxy_gets_the_same_bytes_in_absolute_form() -> None:
    listener = Listener()
    check = TargetCheck(lambda _: None, lambda _: None, SystemResolver(), 5)
    async with RawServer(listener.talk) as proxy:
        way = ProxiedWay(ProxyAddress("127.0.0.1", proxy.port, "", ""), check)
        async with guarded_session(lambda _: None, proxied=way) as session:
            await posted(session, [f"http://203.0.113.7:8080{configured}" for configured, _ in TARGETS])
    assert listener.lines == [f"POST http://203.0.113.7:8080{sent} HTTP/1.1" for _, sent in TARGETS]


@pytest.mark.parametrize(("configured", "sent"), TARGETS)
def test_what_was_sent_is_told_apart_from_its_host(configured: str, sent: str) -> None:
    assert request_target(f"https://h.example{configured}") == sent
    assert sent_url(f"https://h.example{configured}") == f"https://h.example{sent}"


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("HTTPS://Host.Example:443/A", "https://host.example/A"),
        ("http://Host.Example:8080/A", "http://host.example:8080/A"),
        ("http://[2001:DB8::1]:8080/a%2Fb", "http://[2001:db8::1]:8080/a%2Fb"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("no url at all", "no url at all"),
    ],
)
def test_the_host_is_told_as_it_was_looked_up(configured: str, sent: str) -> None:
    assert sent_url(configured) == sent


def test_what_is_sent_is_sent_again_unchanged() -> None:
    for configured, _ in TARGETS:
        once = sent_url(f"https://h.example{configured}")
        assert sent_url(once) == once

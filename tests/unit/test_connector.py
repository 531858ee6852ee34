"""What may be reached, over real sockets on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import RawTestServer, TestServer, unused_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dispatcher.policy.addresses import refusal as address_refusal
from dispatcher.policy.headers import header_problems
from worker.connector import AddressBlocked, AddressRule, blocked_reason
from worker.session import guarded_session


def no_loopback(ip: IPv4Address | IPv6Address) -> str | None:
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return "loopback" if mapped.is_loopback else "unspecified" if mapped.is_unspecified else None


def anything(_: IPv4Address | IPv6Address) -> str | None:
    return None


class Names(AbstractResolver):
    """A name server whose answers a test writes; each lookup takes the next list, the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.lookups: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.lookups.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in found
        ]

    async def close(self) -> None:
        return None


@pytest.fixture
async def host() -> AsyncIterator[TestServer]:
    """Answers 200, sets a cookie, redirects from /moved, and keeps what it was asked."""

    async def answer(request: web.Request) -> web.Response:
        request.app[ASKED].append(request)
        if request.path == "/moved":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        await request.read()
        return web.Response(text=str(request.content_length), headers={"Set-Cookie": "tenant=1; Path=/"})

    app = web.Application(client_max_size=8 * 2**20)
    app[ASKED] = []
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


ASKED: web.AppKey[list[web.Request]] = web.AppKey("asked", list)


async def refusal(rule: AddressRule, url: str, resolver: AbstractResolver | None = None) -> str | None:
    async with guarded_session(rule, resolver=resolver, connect_timeout_s=5) as session:
        try:
            await session.post(url, b"{}", {}, timeout_s=5)
            return None
        except (OSError, aiohttp.InvalidURL) as error:
            return blocked_reason(error)


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
            await session.post("http://slow.example/", b"{}", {}, timeout_s=5)
    assert asyncio.get_running_loop().time() - started < 2


async def test_real_lookup_reaches_an_allowed_host(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        answer = await session.post(f"http://localhost:{host.port}/", b"{}", {})
        assert answer.status == 200


async def test_bi42_a_redirect_is_an_answer_and_not_followed(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        answer = await session.post(f"http://127.0.0.1:{host.port}/moved", b"{}", {})
        assert answer.status == 307
    assert [request.path for request in host.app[ASKED]] == ["/moved"]


@pytest.mark.parametrize("userinfo", ["user:secret@", "user@", ":secret@"])
async def test_bi42_userinfo_never_becomes_an_authorization_header(host: TestServer, userinfo: str) -> None:
    async with guarded_session(anything) as session:
        with pytest.raises(AddressBlocked, match="userinfo"):
            await session.post(f"http://{userinfo}127.0.0.1:{host.port}/", b"{}", {})
    assert host.app[ASKED] == []


@pytest.mark.parametrize("url", ["https://xn--/", "http:///path", "not a url", "http://[::1", "/relative"])
async def test_bi43_an_unreadable_url_is_a_typed_refusal(url: str) -> None:
    async with guarded_session(anything) as session:
        with pytest.raises(AddressBlocked):
            await session.post(url, b"{}", {})


async def test_bi42_cookies_of_one_tenant_do_not_reach_another(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        for path in ("/first", "/second"):
            await session.post(f"http://127.0.0.1:{host.port}{path}", b"{}", {})
    assert [request.headers.get("Cookie") for request in host.app[ASKED]] == [None, None]


async def test_bi42_a_proxy_from_the_environment_is_ignored(host: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    async with guarded_session(anything) as session:
        answer = await session.post(f"http://127.0.0.1:{host.port}/", b"{}", {})
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


async def test_bi42_host_and_certificate_name_stay_what_the_url_says(host: TestServer) -> None:
    """The checked address is connected to, and nothing else tells where the request goes."""
    async with guarded_session(anything, resolver=Names(["127.0.0.1"])) as session:
        answer = await session.post(f"http://shop.example:{host.port}/in", b"{}", {})
        assert answer.status == 200
    assert host.app[ASKED][0].headers["Host"] == f"shop.example:{host.port}"


async def test_bi44_headers_that_pass_arrive_as_they_are_and_break_no_framing(host: TestServer) -> None:
    printable = "".join(map(chr, range(0x21, 0x7F)))
    given = {"X-!#$%&'*+.^_|~-9": printable, "x-empty": "", "X-Long": "v" * 1024}
    assert header_problems(list(given.items()), authenticated=True) == []
    async with guarded_session(anything) as session:
        for _ in range(2):
            answer = await session.post(f"http://127.0.0.1:{host.port}/", b"{}", dict(given))
            assert answer.body.data == b"2"
    first, second = host.app[ASKED]
    assert [{name: one.headers[name] for name in given} for one in (first, second)] == [given] * 2
    assert {one.headers["Content-Length"] for one in (first, second)} == {"2"}
    assert all("Transfer-Encoding" not in one.headers for one in (first, second))


async def test_it_says_who_it_is_and_asks_for_uncompressed_answers(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        await session.post(f"http://127.0.0.1:{host.port}/", b"{}", {})
    headers = host.app[ASKED][0].headers
    assert headers["User-Agent"] == "marketplace-dispatcher/1"
    assert headers["Accept-Encoding"] == "identity"


async def test_a_body_over_one_mebibyte_is_sent_whole(host: TestServer) -> None:
    async with guarded_session(anything) as session:
        answer = await session.post(f"http://127.0.0.1:{host.port}/", b"x" * (2**20 + 1), {})
        assert answer.body.data == str(2**20 + 1).encode()


def certificate_for(name: str, days: int, folder: Path) -> ssl.SSLContext:
    """A server context with a self-signed certificate for ``name`` that ends ``days`` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


TLS_CASES = {
    "trusted": ("shop.example", 30, True, True),
    "self-signed": ("shop.example", 30, False, False),
    "expired": ("shop.example", -1, True, False),
    "wrong host": ("other.example", 30, True, False),
}


@pytest.mark.parametrize("case", TLS_CASES)
async def test_ft36_nothing_is_sent_without_a_valid_certificate(case: str, tmp_path: Path) -> None:
    name, days, trusted, sent = TLS_CASES[case]
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response()

    server = RawTestServer(answer)
    await server.start_server(ssl=certificate_for(name, days, tmp_path))
    trust = ssl.create_default_context(cafile=str(tmp_path / "server.pem") if trusted else None)
    async with guarded_session(anything, resolver=Names(["127.0.0.1"]), tls=trust) as session:
        request = session.post(f"https://shop.example:{server.port}/in", b"{}", {})
        if sent:
            assert (await request).status == 200
        else:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await request
    assert asked == (["/in"] if sent else [])
    await server.close()


async def test_ft33_hanging_hosts_do_not_take_the_connections_of_others(host: TestServer) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    dead = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = dead.sockets[0].getsockname()[1]
    async with guarded_session(anything) as session:

        async def stuck() -> None:
            await session.post(f"http://127.0.0.1:{port}/", b"{}", {})

        waiting = [asyncio.create_task(stuck()) for _ in range(150)]
        await asyncio.sleep(0.1)
        answer = await session.post(f"http://127.0.0.1:{host.port}/", b"{}", {}, timeout_s=2)
        assert answer.status == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    dead.close()
    await dead.wait_closed()

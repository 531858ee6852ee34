"""Requests to a host over a real socket: nothing of one tenant or of the environment reaches another."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestServer, unused_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dispatcher.policy.notification.headers import header_problems
from tests.raw_server import RawServer
from tests.worker.http.connector_parts import ASKED, Names, anything, host
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.connector import AddressBlocked

__all__ = ["host"]


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

    async with RawServer(hang) as dead, guarded_session(anything) as session:

        async def stuck() -> None:
            await session.post(dead.url, b"{}", {})

        waiting = [asyncio.create_task(stuck()) for _ in range(150)]
        await asyncio.sleep(0.1)
        answer = await session.post(f"http://127.0.0.1:{host.port}/", b"{}", {}, timeout_s=2)
        assert answer.status == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

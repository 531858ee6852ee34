"""TLS for tests: an authority that issues, a host that wants to see certificates, and a proxy that tunnels."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.raw_server import RawServer
from tests.serving import serving

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def key_pem(key: CertificateIssuerPrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key; ``pem`` is the chain without the root."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        return "".join(one.public_bytes(Encoding.PEM).decode() for one in (self.certificate, *self.issuers))

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)


def issue(
    name: str,
    issuer: Identity | None = None,
    *,
    days: int = 90,
    started_days_ago: int = 100,
    key: CertificateIssuerPrivateKeyTypes | None = None,
) -> Identity:
    """A certificate for a name and for 127.0.0.1, usable on both ends; signed by itself without ``issuer``."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else subject, subject, own.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(now - datetime.timedelta(days=started_days_ago))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days, hours=1))
    names = [x509.DNSName(name.replace(" ", "-")), x509.IPAddress(LOOPBACK)]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(issuer.key if issuer else own, hashes.SHA256())
    above = () if issuer is None or issuer.certificate.issuer == issuer.certificate.subject else (issuer.certificate,)
    return Identity(signed, own, above)


def server_context(folder: Path, identity: Identity, clients: Identity | None = None) -> ssl.SSLContext:
    """``clients``: the authority whose certificates every client has to show."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_text(identity.pem)
    key.write_text(identity.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients.pem)
    return context


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, the common name of the client certificate of its connection, and the client's end of it."""

    body: bytes
    client: str
    peer: object


@dataclass
class TlsHost:
    """Answers 200 over TLS, and keeps what it saw."""

    context: ssl.SSLContext | None
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}{path}"

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        subject = (request.transport.get_extra_info("peercert") or {}).get("subject", ())
        name = next((value for part in subject for kind, value in part if kind == "commonName"), "")
        self.seen.append(Seen(await request.read(), name, request.transport.get_extra_info("peername")))
        return web.json_response({"success": True})


@contextlib.asynccontextmanager
async def tls_host(context: ssl.SSLContext | None) -> AsyncIterator[TlsHost]:
    """Without ``context`` it speaks plain HTTP."""
    host = TlsHost(context)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host._answer)
    async with serving(app, tls=context) as host.port:
        yield host


@contextlib.asynccontextmanager
async def strict_host(context: ssl.SSLContext) -> AsyncIterator[TlsHost]:
    """As ``tls_host``, but tells clients by a TLS alert why it refuses them, as OpenSSL does and asyncio does not."""
    host = TlsHost(context)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            self.request.settimeout(5)
            self.request = context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
            try:
                self.request.do_handshake()
            except OSError:
                _linger(self.request)
                raise
            super().setup()

        def finish(self) -> None:
            with contextlib.suppress(OSError):
                super().finish()
            self.request.close()

        def do_POST(self) -> None:
            names = [value for part in self.request.getpeercert()["subject"] for _, value in part]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            host.seen.append(Seen(body, names[0], self.client_address))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients are refused here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        host.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield host
        finally:
            await asyncio.to_thread(server.shutdown)
            thread.join()


def _linger(refused: ssl.SSLSocket) -> None:
    """Read what the client still sends: closing over it would take the alert back by a reset."""
    with contextlib.suppress(OSError), socket.socket(fileno=refused.detach()) as plain:
        plain.settimeout(1)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(4096):
            pass


@dataclass
class TunnelProxy:
    """An HTTP proxy. Every name leads to ``leads_to`` when that is set; ``asked`` are the request lines it got."""

    credentials: str = ""
    leads_to: tuple[str, int] | None = None
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.split("\r\n")
        self.asked.append(line)
        if self.credentials and f"Proxy-Authorization: Basic {self._expected}" not in fields:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            await self._pass_on(line, head, reader, writer)

    @property
    def _expected(self) -> str:
        return base64.b64encode(self.credentials.encode()).decode()

    async def _pass_on(self, line: str, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = line.split(" ")
        place = target if method == "CONNECT" else target.split("/")[2]
        host, _, port = place.rpartition(":")
        there, back = await asyncio.open_connection(*(self.leads_to or (host, int(port))))
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                back.write(head.encode())
            await asyncio.gather(_copied(reader, back), _copied(there, writer))
        finally:
            back.transport.abort()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def tunnel_proxy(credentials: str = "", leads_to: tuple[str, int] | None = None) -> AsyncIterator[TunnelProxy]:
    proxy = TunnelProxy(credentials, leads_to)
    async with RawServer(proxy.serve) as server:
        proxy.port = server.port
        yield proxy

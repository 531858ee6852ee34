"""Steps of a ping on the connection to a host: names, addresses, connections and certificates, each with its remedy."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispatcher.model.ping import PingStep, StepName
from dispatcher.policy.addresses.networks import refusal
from tests.raw_server import RawServer
from worker.ping.connection import ConnectionCheck
from worker.ping.words import certificate

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
RULE = partial(refusal, allow_networks=(LOOPBACK,))


class Names(AbstractResolver):
    """Knows what it was told; a name without addresses hangs."""

    def __init__(self, **known: list[str]) -> None:
        self.known = known

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if not self.known.get(host):
            await asyncio.sleep(60)
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=6, flags=0)
            for one in self.known[host]
        ]

    async def close(self) -> None:
        """Holds nothing."""


def certificate_for(folder: Path, name: str, *, days: int = 90, started_days_ago: int = 100) -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=started_days_ago))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days, hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed, private = folder / f"{name}.crt", folder / f"{name}.key"
    signed.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return signed, private


@asynccontextmanager
async def tls_host(files: tuple[Path, Path] | None) -> AsyncIterator[int]:
    """The port of a server that shakes hands and waits; without ``files`` it speaks no TLS."""
    context = None
    if files is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if files is None:
            writer.write(b"HTTP/1.1 400 no TLS here\r\n\r\n")
        else:
            await reader.read()

    async with RawServer(hold, tls=context) as server:
        yield server.port


async def look(url: str, names: Names | None = None, **options: Any) -> dict[StepName, PingStep]:
    ways = ConnectionCheck(RULE, resolver=names or Names(host=["127.0.0.1"]), connect_timeout_s=1.0, **options)
    try:
        return {step.name: step for step in await ways.steps(url)}
    finally:
        await ways.close()


async def test_certificate_that_is_trusted_is_told_with_version_and_expiry(tmp_path: Path) -> None:
    files = certificate_for(tmp_path, "host")
    async with tls_host(files) as port:
        steps = await look(f"https://host:{port}/", tls=ssl.create_default_context(cafile=str(files[0])))
    assert all(step.ok for step in steps.values()), steps
    tls = steps[StepName.TLS]
    assert tls.text.startswith("TLSv1.3, certificate good for 90 days")
    assert tls.remedy is None
    assert tls.duration_ms is not None
    assert tls.duration_ms > 0


async def test_certificate_that_ends_soon_is_still_good_but_has_a_remedy(tmp_path: Path) -> None:
    files = certificate_for(tmp_path, "host", days=3)
    async with tls_host(files) as port:
        steps = await look(f"https://host:{port}/", tls=ssl.create_default_context(cafile=str(files[0])))
    tls = steps[StepName.TLS]
    assert (tls.ok, tls.remedy) == (True, "Renew the certificate: it ends in 3 days.")


@pytest.mark.parametrize(
    ("named", "days", "trusted", "told"),
    [
        ("host", -1, True, "the certificate has expired"),
        ("other", 90, True, "the certificate is for another host name"),
        ("host", 90, False, "the certificate is signed by itself"),
    ],
    ids=["expired", "name", "authority"],
)
async def test_certificate_that_is_not_good_is_named(
    tmp_path: Path, named: str, days: int, trusted: bool, told: str
) -> None:
    files = certificate_for(tmp_path, named, days=days)
    context = ssl.create_default_context(cafile=str(files[0]) if trusted else None)
    async with tls_host(files) as port:
        steps = await look(f"https://host:{port}/", tls=context)
    assert steps[StepName.CONNECT].ok is True
    assert (steps[StepName.TLS].ok, steps[StepName.TLS].text) == (False, told)
    assert steps[StepName.TLS].remedy


async def test_https_at_a_port_without_tls_is_told() -> None:
    async with tls_host(None) as port:
        steps = await look(f"https://host:{port}/")
    assert steps[StepName.TLS].ok is False
    assert "no TLS" in steps[StepName.TLS].text


async def test_handshake_that_hangs_ends_and_is_told_as_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        steps = await look(f"https://host:{silent.getsockname()[1]}/")
    assert steps[StepName.CONNECT].ok is True
    assert steps[StepName.TLS].ok is False


async def test_name_server_that_hangs_is_told() -> None:
    steps = await look("https://silent/", Names())
    assert (steps[StepName.DNS].ok, steps[StepName.DNS].text) == (
        False,
        "silent: the name server did not answer in time",
    )
    assert list(steps) == [StepName.DNS]


async def test_name_that_leads_inside_is_refused_without_naming_the_address() -> None:
    steps = await look("https://inside/", Names(inside=["10.9.8.7"]))
    assert steps[StepName.DNS].ok is True
    assert (steps[StepName.ADDRESS].ok, steps[StepName.ADDRESS].text) == (False, "the address is not allowed (private)")
    assert "10.9.8.7" not in str(steps)
    assert StepName.CONNECT not in steps


async def test_second_address_is_tried_when_the_first_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        steps = await look(f"http://host:{port}/", Names(host=["127.0.0.9", "127.0.0.1"]))
    assert steps[StepName.CONNECT].ok is True


@pytest.mark.parametrize("url", ["http:///x", "ftp://host/", "http://[::1/", "http://host:99999/"])
async def test_url_that_leads_nowhere_is_told(url: str) -> None:
    steps = await look(url)
    assert [step.ok for step in steps.values()] == [False]


def test_connection_without_a_certificate_has_only_a_version() -> None:
    assert certificate("TLSv1.2", None) == ("TLSv1.2", None)


async def test_a_template_without_its_values_is_told_by_its_variables() -> None:
    (step,) = await ConnectionCheck(RULE).steps("https://{Subdomain}.example.com/")
    assert (step.name, step.ok) == (StepName.ADDRESS, False)
    assert "({Subdomain})" in step.text

"""rediss://: the server's certificate must be signed by a known authority and name the host."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispatcher.embedded import EmbeddedServer, ServerOptions
from dispatcher.errors import StoreUnavailable
from dispatcher.store.redis.connection import connect, guarded
from tests.ports import free_port


def write_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A self-signed certificate for ``address``, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = folder / f"{address}.crt"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = folder / f"{address}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@asynccontextmanager
async def tls_server(certified_for: str) -> AsyncIterator[tuple[str, Path]]:
    """The base URL of a real server with TLS, and the authority to trust."""
    binary = shutil.which("redis-server")
    assert binary, "install Debian's redis-server: the packaged one speaks no TLS"
    with tempfile.TemporaryDirectory(prefix="dl-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        certificate, key = write_certificate(folder, certified_for)
        files = (
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(key),
            "--tls-ca-cert-file",
            str(certificate),
        )
        extra = ("--tls-port", str(port), "--tls-auth-clients", "no", *files)
        async with EmbeddedServer.start(folder / "d", ServerOptions(extra=extra), binary=binary):
            yield f"rediss://127.0.0.1:{port}", certificate


async def test_trusted_certificate_of_the_host_is_accepted() -> None:
    async with tls_server("127.0.0.1") as (url, authority), connect(f"{url}?ssl_ca_certs={authority}") as redis:
        assert await redis.set("k", "v")


async def test_unknown_authority_is_refused() -> None:
    async with tls_server("127.0.0.1") as (url, _), connect(url) as redis:
        with pytest.raises(StoreUnavailable, match="certificate"), guarded():
            await redis.ping()


async def test_certificate_of_another_host_is_refused() -> None:
    async with tls_server("127.0.0.9") as (url, authority), connect(f"{url}?ssl_ca_certs={authority}") as redis:
        with pytest.raises(StoreUnavailable, match="certificate"), guarded():
            await redis.ping()

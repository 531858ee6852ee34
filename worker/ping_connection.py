"""Looks at the way to a host before a ping uses it: name, address, connection, TLS, each timed and told in words.

Opens one connection through the same guard as every delivery and closes it without a request. Never raises for
what it meets: that is a step that is not ok.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dispatcher.model.ping import PingStep, StepName
from worker.connector import AddressBlocked, AddressRule, CheckingResolver, checked_socket
from worker.ping_words import CHECK_HOST, CONNECT_REMEDY, DNS_REMEDY, PLAIN_HTTP, blocked, certificate, tls_failure
from worker.resolver import SystemResolver


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads."""

    host: str
    port: int
    encrypted: bool


class Wayfinder:
    """One per worker process. ``tls`` None = the system's certificates."""

    def __init__(
        self,
        rule: AddressRule,
        *,
        connect_timeout_s: float = 5.0,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rule = rule
        self._timeout_s = connect_timeout_s
        self._resolver = CheckingResolver(resolver or SystemResolver(), rule)
        self._tls = tls

    async def close(self) -> None:
        await self._resolver.close()

    async def look(self, url: str) -> tuple[PingStep, ...]:
        """DNS, ADDRESS, CONNECT and TLS, as far as it gets."""
        place = _place(url)
        if place is None:
            return (PingStep(StepName.ADDRESS, False, 0.0, "the URL names no host that can be read", CHECK_HOST),)
        watch = _Watch()
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._resolver.resolve(place.host, place.port)
        except AddressBlocked as error:
            return (*_resolved(place, watch), PingStep(StepName.ADDRESS, False, 0.0, *blocked(error.reason)))
        except OSError as error:
            text = "the name server did not answer in time" if isinstance(error, TimeoutError) else "does not resolve"
            return (PingStep(StepName.DNS, False, watch.ms(), f"{place.host}: {text}", DNS_REMEDY),)
        return (*_resolved(place, watch, found), _allowed(found), *await self._connect(place, found))

    async def _connect(self, place: Place, found: Sequence[ResolveResult]) -> Sequence[PingStep]:
        watch = _Watch()
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await self._connected(found)
        except OSError as error:
            why = f"no connection within {self._timeout_s:g} s" if isinstance(error, TimeoutError) else _reason(error)
            return (PingStep(StepName.CONNECT, False, watch.ms(), f"port {place.port}: {why}", CONNECT_REMEDY),)
        made = PingStep(StepName.CONNECT, True, watch.ms(), f"connected to port {place.port}")
        with connection:
            return made, await self._shake_hands(place, connection)

    async def _connected(self, found: Sequence[ResolveResult]) -> socket.socket:
        """To the first address that takes a connection; raises the last one's failure when none does."""
        failure: OSError = ConnectionError("no address to connect to")
        for answer in found:
            address = (answer["host"], answer["port"])
            with contextlib.ExitStack() as on_failure:
                connection = on_failure.enter_context(
                    checked_socket((answer["family"], socket.SOCK_STREAM, answer["proto"], "", address), self._rule)
                )
                connection.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(connection, address)
                except OSError as error:
                    failure = error
                else:
                    on_failure.pop_all()
                    return connection
        raise failure

    async def _shake_hands(self, place: Place, connection: socket.socket) -> PingStep:
        if not place.encrypted:
            return PLAIN_HTTP
        watch = _Watch()
        if self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                asyncio.Protocol,
                sock=connection.dup(),
                ssl=self._tls,
                server_hostname=place.host,
                ssl_handshake_timeout=self._timeout_s,
            )
        except (OSError, ssl.CertificateError) as error:
            return PingStep(StepName.TLS, False, watch.ms(), *tls_failure(error))
        duration_ms = watch.ms()
        negotiated: ssl.SSLObject = transport.get_extra_info("ssl_object")
        transport.abort()
        return PingStep(StepName.TLS, True, duration_ms, *certificate(negotiated.version(), negotiated.getpeercert()))


class _Watch:
    """Milliseconds since it was made."""

    def __init__(self) -> None:
        self._begun_s = time.perf_counter()

    def ms(self) -> float:
        return (time.perf_counter() - self._begun_s) * 1000


def _place(url: str) -> Place | None:
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        return None
    if not host or port is None or parsed.scheme not in ("http", "https"):
        return None
    return Place(host, port, parsed.scheme == "https")


def _resolved(place: Place, watch: _Watch, found: Sequence[ResolveResult] = ()) -> tuple[PingStep, ...]:
    if _is_address(place.host):
        return (PingStep(StepName.DNS, True, 0.0, "the URL names an address, there is nothing to look up"),)
    count = len({answer["host"] for answer in found})
    text = f"resolves to {count} address{'' if count == 1 else 'es'}" if found else "resolves"
    return (PingStep(StepName.DNS, True, watch.ms(), f"{place.host} {text}"),)


def _allowed(found: Sequence[ResolveResult]) -> PingStep:
    """Names public addresses only: what the inside looks like is nobody's business."""
    shown = [host for host in dict.fromkeys(answer["host"] for answer in found) if ip_address(host).is_global]
    text = ", ".join(shown[:4]) if shown else "inside a network that the operator allows"
    return PingStep(StepName.ADDRESS, True, 0.0, f"allowed: {text}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return error.strerror or type(error).__name__

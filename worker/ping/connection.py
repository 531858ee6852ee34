"""Checks the connection to a host before a ping uses it: name, address, connection, TLS, each timed and explained.

Opens one connection through the same guard as every delivery and closes it without a request. Never raises for
what it meets: that is a step that is not ok.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dispatcher.model.integration import Transport
from dispatcher.model.ping import PingStep, StepName
from dispatcher.policy.addresses.urls import unfilled
from worker.http.connector import AddressBlocked, AddressRule, CheckingResolver, checked_socket
from worker.http.resolver import SystemResolver
from worker.http.threads import Threads
from worker.http.tls import THREAD_WITHIN_S, TLS_THREADS, public_context
from worker.http.transport import Egress, Proxy, Route
from worker.http.tunnel import ask_for_tunnel
from worker.http.words import PROXY_REMEDY, proxy_refused
from worker.ping.tls import Handshaker, Stopwatch
from worker.ping.words import CHECK_HOST, CONNECT_REMEDY, DNS_REMEDY, PLAIN_HTTP, blocked


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Host and port of a URL."""

    host: str
    port: int
    encrypted: bool


class ConnectionCheck:
    """One per worker process. ``tls`` None = the system's certificates; ``egress`` None = there are no proxies."""

    def __init__(
        self,
        rule: AddressRule,
        *,
        connect_timeout_s: float = 5.0,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        egress: Egress | None = None,
    ) -> None:
        self._rule = rule
        self._timeout_s = connect_timeout_s
        self._inner = resolver or SystemResolver()
        self._resolver = CheckingResolver(self._inner, rule)
        self._tls = tls
        self._threads = Threads(TLS_THREADS, "certificate", THREAD_WITHIN_S)
        self._egress = egress
        self._denied_ports = egress.denied_ports if egress else frozenset[int]()

    async def close(self) -> None:
        await self._resolver.close()

    async def steps(self, url: str, route: Route | None = None) -> tuple[PingStep, ...]:
        """DNS, ADDRESS, CONNECT and TLS, as far as it gets."""
        if missing := unfilled(url):
            return (PingStep(StepName.ADDRESS, False, 0.0, missing, CHECK_HOST),)
        endpoint = _endpoint(url)
        if endpoint is None:
            return (PingStep(StepName.ADDRESS, False, 0.0, "the URL names no host that can be read", CHECK_HOST),)
        try:
            proxy = self._egress.proxy_of(route.transport if route else Transport()) if self._egress else None
            if proxy is not None and (refused := await self._refusal(url)):
                raise AddressBlocked(refused)
        except AddressBlocked as error:
            return (PingStep(StepName.ADDRESS, False, 0.0, *blocked(error.reason)),)
        if proxy is not None:
            return await self._steps_through(endpoint, proxy, route)
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._resolver.resolve(endpoint.host, endpoint.port)
        except AddressBlocked as error:
            return (*_resolved(endpoint, watch), PingStep(StepName.ADDRESS, False, 0.0, *blocked(error.reason)))
        except OSError as error:
            text = "the name server did not answer in time" if isinstance(error, TimeoutError) else "does not resolve"
            return (PingStep(StepName.DNS, False, watch.ms(), f"{endpoint.host}: {text}", DNS_REMEDY),)
        return (*_resolved(endpoint, watch, found), _allowed(found), *await self._connect(endpoint, found, route))

    async def _refusal(self, url: str) -> str | None:
        return await self._egress.target_check().refusal(URL(url)) if self._egress else None

    async def _steps_through(self, endpoint: Endpoint, proxy: Proxy, route: Route | None) -> tuple[PingStep, ...]:
        """Through a proxy: the steps are about the proxy, TLS is with the host."""
        address = proxy.address
        there = Endpoint(address.host, address.port, encrypted=False)
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await CheckingResolver(self._inner, proxy.rule).resolve(address.host, address.port)
        except AddressBlocked as error:
            text, remedy = blocked(error.reason)
            return (*_resolved(there, watch), PingStep(StepName.ADDRESS, False, 0.0, f"the proxy: {text}", remedy))
        except OSError:
            return (PingStep(StepName.DNS, False, watch.ms(), "the proxy's name does not resolve", PROXY_REMEDY),)
        before = *_resolved(there, watch, found), _allowed(found)
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await self._connected(found, proxy.rule, frozenset())
        except OSError:
            failed = PingStep(StepName.CONNECT, False, watch.ms(), "no connection to the proxy", PROXY_REMEDY)
            return (*before, failed)
        with connection:
            return (*before, *await self._tunnelled(endpoint, proxy, connection, route))

    async def _tunnelled(
        self, endpoint: Endpoint, proxy: Proxy, connection: socket.socket, route: Route | None
    ) -> Sequence[PingStep]:
        watch = Stopwatch()
        status: int | None = 200
        if endpoint.encrypted:
            try:
                async with asyncio.timeout(self._timeout_s):
                    status = await ask_for_tunnel(connection, proxy.address, endpoint.host, endpoint.port)
            except OSError:
                status = None
        if status != 200:
            words = proxy_refused(status) if status else ("the proxy gave no answer", PROXY_REMEDY)
            return (PingStep(StepName.CONNECT, False, watch.ms(), *words),)
        made = PingStep(StepName.CONNECT, True, watch.ms(), f"connected to port {endpoint.port} through the proxy")
        return made, await self._shake_hands(endpoint, connection, route)

    async def _connect(
        self, endpoint: Endpoint, found: Sequence[ResolveResult], route: Route | None
    ) -> Sequence[PingStep]:
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await self._connected(found, self._rule, self._denied_ports)
        except OSError as error:
            why = f"no connection within {self._timeout_s:g} s" if isinstance(error, TimeoutError) else _reason(error)
            return (PingStep(StepName.CONNECT, False, watch.ms(), f"port {endpoint.port}: {why}", CONNECT_REMEDY),)
        made = PingStep(StepName.CONNECT, True, watch.ms(), f"connected to port {endpoint.port}")
        with connection:
            return made, await self._shake_hands(endpoint, connection, route)

    async def _connected(
        self, found: Sequence[ResolveResult], rule: AddressRule, denied_ports: frozenset[int]
    ) -> socket.socket:
        """To the first address that takes a connection; raises the last one's failure when none does."""
        failure: OSError = ConnectionError("no address to connect to")
        for answer in found:
            address = (answer["host"], answer["port"])
            with contextlib.ExitStack() as on_failure:
                connection = on_failure.enter_context(
                    checked_socket(
                        (answer["family"], socket.SOCK_STREAM, answer["proto"], "", address), rule, denied_ports
                    )
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

    async def _shake_hands(self, endpoint: Endpoint, connection: socket.socket, route: Route | None) -> PingStep:
        if not endpoint.encrypted:
            return PLAIN_HTTP
        if self._tls is None:
            self._tls = public_context()
        return await Handshaker(self._tls, self._timeout_s, self._threads).step(connection, endpoint.host, route)


def _endpoint(url: str) -> Endpoint | None:
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        return None
    if not host or port is None or parsed.scheme not in ("http", "https"):
        return None
    return Endpoint(host, port, parsed.scheme == "https")


def _resolved(endpoint: Endpoint, watch: Stopwatch, found: Sequence[ResolveResult] = ()) -> tuple[PingStep, ...]:
    if _is_address(endpoint.host):
        return (PingStep(StepName.DNS, True, 0.0, "the URL names an address, there is nothing to look up"),)
    count = len({answer["host"] for answer in found})
    text = f"resolves to {count} address{'' if count == 1 else 'es'}" if found else "resolves"
    return (PingStep(StepName.DNS, True, watch.ms(), f"{endpoint.host} {text}"),)


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

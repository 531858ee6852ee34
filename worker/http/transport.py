"""Connections out of a worker: an integration's own transport, and the limits that it cannot change.

Every session made here is guarded (``worker.http.connector``): an integration may choose certificates and a proxy, but
its proxy is judged like any other address, and the deployment's proxy cannot be gone around. Pools nothing.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import astuple, dataclass, field

import orjson
from aiohttp.abc import AbstractResolver

from dispatcher.model.integration import Transport
from dispatcher.policy.addresses.proxies import ProxyAddress, read_proxy
from worker.http.aiohttp_inside.session import Session, guarded_session
from worker.http.connector import AddressBlocked, AddressRule
from worker.http.proxies import ProxiedWay, TargetCheck
from worker.http.resolver import SystemResolver
from worker.http.words import PROXY_NOT_ALLOWED, PROXY_UNREADABLE


@dataclass(frozen=True, slots=True)
class Route:
    """A transport with its secrets open. ``name`` is a digest of all of it: equal names may share connections."""

    name: str
    transport: Transport = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and the rule for the address that its name resolves to."""

    address: ProxyAddress
    rule: AddressRule


def route_of(opened: Transport) -> Route | None:
    """None when it changes nothing: then connections are the ones that everybody shares."""
    if not opened.is_set:
        return None
    return Route(hashlib.blake2b(orjson.dumps(astuple(opened)), digest_size=16).hexdigest(), opened)


@dataclass(frozen=True, slots=True)
class Egress:
    """Rules that all connections of a worker process share.

    ``rule`` judges addresses, ``url_rule`` the text of a URL (a reason, or None); ``proxy`` is the deployment's.
    """

    rule: AddressRule
    url_rule: Callable[[str], str | None]
    proxy: ProxyAddress | None = None
    connect_timeout_s: float = 5.0
    request_timeout_s: float = 30.0
    denied_ports: frozenset[int] = frozenset()
    resolver: AbstractResolver = field(default_factory=SystemResolver)

    def session(self, transport: Transport, tls: ssl.SSLContext | None) -> Session:
        """Raises ``AddressBlocked`` for a proxy that may not be used. ``tls`` None = the system's certificates."""
        proxy = self.proxy_of(transport)
        if proxy is None:
            return guarded_session(
                self.rule,
                connect_timeout_s=self.connect_timeout_s,
                request_timeout_s=self.request_timeout_s,
                denied_ports=self.denied_ports,
                resolver=self.resolver,
                tls=tls,
            )
        return guarded_session(
            proxy.rule,
            connect_timeout_s=self.connect_timeout_s,
            request_timeout_s=self.request_timeout_s,
            resolver=self.resolver,
            tls=tls,
            proxied=ProxiedWay(proxy.address, self.target_check()),
        )

    def target_check(self) -> TargetCheck:
        """Judges where a proxy is asked to go."""
        return TargetCheck(self.rule, self.url_rule, self.resolver, self.connect_timeout_s)

    def plain(self) -> Session:
        """For everything that has no transport of its own."""
        return self.session(Transport(), None)

    def proxy_of(self, transport: Transport) -> Proxy | None:
        """The deployment's proxy, which may be inside; else the integration's, which may not."""
        if self.proxy is not None:
            if transport.proxy_url:
                raise AddressBlocked(PROXY_NOT_ALLOWED)
            return Proxy(self.proxy, _anywhere)
        if not transport.proxy_url:
            return None
        address = read_proxy(transport.proxy_url)
        if isinstance(address, str):
            raise AddressBlocked(PROXY_UNREADABLE)
        reason = self.url_rule(transport.proxy_url)
        if reason is not None:
            raise AddressBlocked(reason)
        named = ProxyAddress(address.host, address.port, transport.proxy_username, transport.proxy_password)
        return Proxy(named, self.rule)


def _anywhere(_: object) -> str | None:
    """The rule for the deployment's proxy: whoever runs the workers chose it."""
    return None

"""Requests through a proxy: their target is judged here, the socket only sees the proxy.

A name is resolved here as well, and refused as the connector would. What this cannot know is what the proxy's own
name server answers a moment later, or answers for names that only it knows: such a proxy needs rules of its own.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver
from aiohttp.hdrs import PROXY_AUTHORIZATION
from yarl import URL

from dispatcher.policy.addresses.proxies import ProxyAddress
from worker.http.connector import AddressBlocked, AddressRule, CheckingResolver
from worker.http.ration import NothingLeft
from worker.http.resolver import FRESH_S

KEPT_NAMES = 4096


class TargetCheck:
    """Judges where a proxy is asked to go. A verdict on a name is kept for ``FRESH_S``."""

    def __init__(
        self,
        rule: AddressRule,
        url_rule: Callable[[str], str | None],
        resolver: AbstractResolver,
        timeout_s: float,
    ) -> None:
        self._rule = rule
        self._url_rule = url_rule
        self._resolver = CheckingResolver(resolver, rule)
        self._timeout_s = timeout_s
        self._known: OrderedDict[str, tuple[float, str | None]] = OrderedDict()

    async def refusal(self, url: URL) -> str | None:
        """The reason why a request may not go there, or None."""
        reason = self._url_rule(str(url))
        if reason is not None or url.raw_host is None:
            return reason or "host"
        try:
            return self._rule(ip_address(url.raw_host))
        except ValueError:
            return await self._name_refusal(url.raw_host, url.port or 443)

    async def _name_refusal(self, host: str, port: int) -> str | None:
        until_s, reason = self._known.get(host, (0.0, None))
        if until_s > time.monotonic():
            return reason
        reason = await self._resolved(host, port)
        self._known[host] = time.monotonic() + FRESH_S, reason
        self._known.move_to_end(host)
        if len(self._known) > KEPT_NAMES:
            self._known.popitem(last=False)
        return reason

    async def _resolved(self, host: str, port: int) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._resolver.resolve(host, port)
        except AddressBlocked as error:
            return error.reason
        except NothingLeft:
            raise
        except OSError:
            return None
        return None


@dataclass(frozen=True, slots=True)
class ProxiedWay:
    """A proxy that all requests of a session go through."""

    address: ProxyAddress
    check: TargetCheck

    @property
    def credentials(self) -> dict[str, str]:
        """Headers that authenticate to the proxy (RFC 7617); the host never sees them when there is a tunnel."""
        authorization = basic(self.address)
        return {PROXY_AUTHORIZATION: authorization} if authorization else {}


def basic(proxy: ProxyAddress) -> str | None:
    """The value of Proxy-Authorization; None = the proxy wants none."""
    if not (proxy.username or proxy.password):
        return None
    return f"Basic {base64.b64encode(f'{proxy.username}:{proxy.password}'.encode()).decode()}"

"""The only way out of a worker: every connection's address is checked at the moment it is made.

Never reads a proxy from the environment. The socket factory decides (it sees literal, resolved, rebound and raced
addresses alike); the resolver only refuses earlier, and refuses a whole name when one of its addresses is refused.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from worker.http.resolver import AddressInfo, SystemResolver

AddressRule = Callable[[IPv4Address | IPv6Address], str | None]
"""Why an address may not be reached (``loopback``, ``private`` …), or None when it may."""

KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers close an idle connection: a POST is not repeated on a dying one."""


LOOKING_UP: ContextVar[list[float] | None] = ContextVar("looking_up", default=None)
"""Of a request that may need a connection: the seconds that go into its name are added to the one number in it."""


class AddressBlocked(OSError):
    """The rule refuses this address. Its text names the class of address, never the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address not allowed: {reason}")
        self.reason = reason


class ConnectionLapsed(aiohttp.ServerDisconnectedError):
    """The host had given up a kept connection when the request went out: nothing came of it.

    The request may be made once more, on a new connection, within ``left_s``.
    """

    def __init__(self, left_s: float) -> None:
        super().__init__("the host had given up the kept connection")
        self.left_s = left_s


def blocked_reason(error: BaseException) -> str | None:
    """The reason if ``error`` came of a refused address or URL, else None. ``host``: its host cannot be read."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressBlocked):
            return cause.reason
        if isinstance(cause, aiohttp.InvalidURL):
            return "host"
        cause = cause.__cause__
    return None


class CheckingResolver(AbstractResolver):
    """Refuses a name when any of its addresses is refused: no picking among mixed answers.

    Unless all that is left are inside addresses that the operator allowed: ``localhost`` is usually ``::1`` as well.
    """

    def __init__(self, inner: AbstractResolver, rule: AddressRule) -> None:
        self._inner = inner
        self._rule = rule

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        spent, begun_s = LOOKING_UP.get(), time.perf_counter()
        found = await self._inner.resolve(host, port, family)
        if spent is not None:
            spent[0] += time.perf_counter() - begun_s
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")  # aiohttp takes one for granted
        reasons = [_refusal(answer["host"], self._rule) for answer in found]
        reason = next((one for one in reasons if one is not None), None)
        if reason is None:
            return found
        allowed = [answer for answer, refused in zip(found, reasons, strict=True) if refused is None]
        if not allowed or any(ip_address(answer["host"]).is_global for answer in allowed):
            raise AddressBlocked(reason)
        return allowed

    async def close(self) -> None:
        await self._inner.close()


def guarded_connector(
    rule: AddressRule,
    *,
    denied_ports: frozenset[int] = frozenset(),
    resolver: AbstractResolver | None = None,
) -> aiohttp.TCPConnector:
    """Connections are not limited: a dead host never takes another host's. Requests bring their TLS context."""
    return aiohttp.TCPConnector(
        resolver=CheckingResolver(resolver or SystemResolver(), rule),
        socket_factory=lambda info: checked_socket(info, rule, denied_ports),
        limit=0,
        use_dns_cache=False,  # the resolver keeps names; here all who wait for one would share the first failure
        keepalive_timeout=KEEP_ALIVE_S,
    )


def checked_socket(info: AddressInfo, rule: AddressRule, denied_ports: frozenset[int] = frozenset()) -> socket.socket:
    """A socket for this address. Raises ``AddressBlocked``."""
    family, kind, proto, _, address = info
    reason = "port" if address[1] in denied_ports else _refusal(str(address[0]), rule)
    if reason is not None:
        raise AddressBlocked(reason)
    return socket.socket(family, kind, proto)


def _refusal(host: str, rule: AddressRule) -> str | None:
    try:
        return rule(ip_address(host))
    except ValueError:
        return "unreadable"

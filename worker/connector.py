"""The only way out of a worker: every connection's address is checked at the moment it is made.

Never follows a redirect, keeps a cookie, reads a proxy from the environment, sends a URL's userinfo or inflates
an answer. The socket factory decides (it sees literal, resolved, rebound and raced addresses alike); the resolver
only refuses earlier, and refuses a whole name when one of its addresses is refused.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
from aiohttp import ClientMiddlewareType
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dispatcher.policy.proxies import ProxyAddress
from worker.resolver import AddressInfo, SystemResolver

AddressRule = Callable[[IPv4Address | IPv6Address], str | None]
"""Why an address may not be reached (``loopback``, ``private`` …), or None when it may."""

USER_AGENT = "marketplace-dispatcher/1"
DNS_CACHE_S = 5
KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers close an idle connection: a POST is not repeated on a dying one."""
MAX_ANSWER_HEADERS = 128
MAX_HEADER_BYTES = 8190
_COPIED_BODY_BYTES = 2**20
"""aiohttp writes larger ``bytes`` in one go and warns; a file object is written in pieces."""


class AddressBlocked(OSError):
    """The rule refuses this address. Its text names the class of address, never the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address not allowed: {reason}")
        self.reason = reason


def blocked_reason(error: BaseException) -> str | None:
    """Why ``error`` came of a refused address or URL, else None. ``host``: its host cannot be read as one."""
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
        found = await self._inner.resolve(host, port, family)
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


def guarded_session(
    rule: AddressRule,
    *,
    connect_timeout_s: float = 5.0,
    request_timeout_s: float = 30.0,
    denied_ports: frozenset[int] = frozenset(),
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    proxy: ProxyAddress | None = None,
    before: Sequence[ClientMiddlewareType] = (),
) -> aiohttp.ClientSession:
    """A session for ``post``. Its connections are not limited: a dead host never takes another host's.

    ``connect_timeout_s`` spans lookup, connect and TLS handshake; ``request_timeout_s`` everything. With ``proxy``
    every request goes through it, and ``rule`` sees no address but the proxy's: ``before`` judges the others, and
    tells the proxy who asks.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=CheckingResolver(resolver or SystemResolver(), rule),
            socket_factory=lambda info: checked_socket(info, rule, denied_ports),
            limit=0,
            ttl_dns_cache=DNS_CACHE_S,
            keepalive_timeout=KEEP_ALIVE_S,
            ssl=tls or True,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=request_timeout_s, connect=connect_timeout_s),
        trust_env=False,
        proxy=proxy.url if proxy else None,
        middlewares=before,
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_ANSWER_HEADERS,
    )


def post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    timeout_s: float | None = None,
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    """POST exactly ``body``; a 3xx is an answer like any other. ``timeout_s`` replaces the session's total.

    Raises ``AddressBlocked`` for a URL with userinfo, another scheme or a host that cannot be read.
    """
    timeout = session.timeout
    if timeout_s is not None:
        timeout = _timeout(timeout_s, timeout.connect)
    data = body if len(body) <= _COPIED_BODY_BYTES else io.BytesIO(body)
    return session.post(_readable(url), data=data, headers=headers, allow_redirects=False, timeout=timeout)


@lru_cache(maxsize=4096)
def _readable(text: str) -> URL:
    try:
        url = URL(text)
        unsafe = "userinfo" if url.raw_user is not None or url.raw_password is not None else None
        if url.host is None:
            unsafe = "host"
        elif url.scheme not in ("http", "https"):
            unsafe = "scheme"
    except ValueError:
        unsafe = "host"
    if unsafe:
        raise AddressBlocked(unsafe)
    return url


@lru_cache(maxsize=256)
def _timeout(total_s: float, connect_s: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, connect=connect_s)


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

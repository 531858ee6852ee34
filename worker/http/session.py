"""POSTs over guarded connections. Never follows a redirect, keeps a cookie or sends a URL's userinfo."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple, Self
from weakref import WeakSet

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from worker.http.connector import AddressBlocked, AddressRule, guarded_connector
from worker.http.exchange import Answer, exchange, protocol_of
from worker.http.proxies import ProxiedWay
from worker.http.request_head import ALWAYS, head, start

KEPT_DESTINATIONS = 4096


class _Destination(NamedTuple):
    """``origin`` is what the connector is asked with, ``begun`` what every request begins with."""

    url: URL
    origin: aiohttp.ClientRequest
    begun: str


class Session:
    """Requests over the connections of one connector, which it closes. Use with ``async with``.

    ``connect_timeout_s`` spans lookup, connect and TLS handshake; ``request_timeout_s`` everything. With ``proxied``
    every request goes through a proxy.
    """

    def __init__(
        self,
        connector: aiohttp.BaseConnector,
        *,
        connect_timeout_s: float = 5.0,
        request_timeout_s: float = 30.0,
        proxied: ProxiedWay | None = None,
    ) -> None:
        self._connector = connector
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_s = request_timeout_s
        self._proxied = proxied
        self._used: WeakSet[ResponseHandler] = WeakSet()
        """Connections that have carried a request."""
        self._destination = lru_cache(KEPT_DESTINATIONS)(self._find_destination)
        self._origin = lru_cache(KEPT_DESTINATIONS)(self._make_origin)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float | None = None
    ) -> Answer:
        """POST exactly ``body``; a 3xx is an answer like any other. ``timeout_s`` replaces the session's.

        Raises ``AddressBlocked`` for a URL with userinfo, another scheme or a host that cannot be read; ``ValueError``
        for headers that HTTP does not allow; ``aiohttp.ClientError``, ``OSError``, ``TimeoutError``: no answer came.
        """
        within_s = self._request_timeout_s if timeout_s is None else timeout_s
        deadline_s = asyncio.get_running_loop().time() + within_s
        destination = self._destination(url)
        message = head(destination.begun, headers, len(body)) + body
        if self._proxied is not None and (reason := await self._proxied.check.refusal(destination.url)):
            raise AddressBlocked(reason)
        connection = await self._connect(destination.origin, deadline_s)
        try:
            return await exchange(connection, message, deadline_s)
        except HttpProcessingError as error:
            about = destination.origin.request_info
            raise aiohttp.ClientResponseError(about, (), status=error.code, message=error.message) from error
        finally:
            if (transport := connection.transport) is not None:
                transport.abort()  # closing would wait until the host has read what it may never read
            connection.close()

    @property
    def connector(self) -> aiohttp.BaseConnector:
        return self._connector

    @property
    def closed(self) -> bool:
        return self._connector.closed

    async def close(self) -> None:
        """End every connection, also under requests and to hosts that do not read."""
        for protocol in list(self._used):
            if protocol.transport is not None and protocol.transport.get_write_buffer_size():
                protocol.transport.abort()
        await self._connector.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _connect(self, origin: aiohttp.ClientRequest, deadline_s: float) -> Connection:
        """A new connection, or a used one on which nothing waits: what a host says unasked answers no later request."""
        clock = asyncio.get_running_loop().time
        while (left_s := deadline_s - clock()) > 0:
            try:
                timeout = _connect_timeout(min(self._connect_timeout_s, left_s))
                connection = await self._connector.connect(origin, [], timeout)
            except TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError("no connection in time") from error
            if clock() < deadline_s and self._is_clear(protocol_of(connection)):
                return connection
            connection.close()
        raise aiohttp.ConnectionTimeoutError("no connection in time")

    def _is_clear(self, protocol: ResponseHandler) -> bool:
        if protocol in self._used:
            return not protocol.should_close
        self._used.add(protocol)
        return True

    def _find_destination(self, text: str) -> _Destination:
        url = _readable(text)
        origin = self._origin(url.origin())
        relayed = self._proxied is not None and not origin.is_ssl()
        credentials = self._proxied.credentials if self._proxied is not None and relayed else None
        return _Destination(url, origin, start(url, origin.headers[hdrs.HOST], credentials))

    def _make_origin(self, url: URL) -> aiohttp.ClientRequest:
        proxy = URL(self._proxied.address.url) if self._proxied else None
        request = aiohttp.ClientRequest(hdrs.METH_POST, url, loop=asyncio.get_running_loop(), proxy=proxy)
        if self._proxied is not None:
            host = {hdrs.HOST: request.headers[hdrs.HOST]}
            request.proxy_headers = CIMultiDict(host | ALWAYS | self._proxied.credentials)
        return request


def guarded_session(
    rule: AddressRule,
    *,
    connect_timeout_s: float = 5.0,
    request_timeout_s: float = 30.0,
    denied_ports: frozenset[int] = frozenset(),
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    proxied: ProxiedWay | None = None,
) -> Session:
    """A session whose connections are judged by ``rule``; with ``proxied`` it sees no address but the proxy's."""
    connector = guarded_connector(rule, denied_ports=denied_ports, resolver=resolver, tls=tls)
    return Session(connector, connect_timeout_s=connect_timeout_s, request_timeout_s=request_timeout_s, proxied=proxied)


@lru_cache(maxsize=256)
def _connect_timeout(timeout_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=timeout_s)


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

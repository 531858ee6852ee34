"""POSTs over guarded connections. Never follows a redirect, keeps a cookie or sends a URL's userinfo."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError

from worker.http.aiohttp_inside.destination import Destinations
from worker.http.aiohttp_inside.exchange import exchange, protocol_of, reason_of, written
from worker.http.answer import Answer
from worker.http.connector import LOOKING_UP, AddressBlocked, AddressRule, guarded_connector
from worker.http.proxies import ProxiedWay


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
        self._destinations = Destinations(proxied)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float | None = None,
        fresh: bool = False,
        query: str = "",
    ) -> Answer:
        """POST exactly ``body``; a 3xx is an answer like any other. ``timeout_s`` replaces the session's.

        ``query``: GET the URL with it instead; ``body`` is empty then.
        ``fresh``: over a connection that carried no request before; else it may raise ``ConnectionLapsed``.

        Raises ``AddressBlocked`` for a URL with userinfo, another scheme or a host that cannot be read; ``ValueError``
        for headers that HTTP does not allow; ``aiohttp.ClientError``, ``OSError``, ``TimeoutError``: no answer came.
        """
        within_s = self._request_timeout_s if timeout_s is None else timeout_s
        deadline_s = asyncio.get_running_loop().time() + within_s
        destination = self._destinations.find(url)
        message = written(destination.asking(query) if query else destination.start_lines, headers, body)
        if self._proxied is not None and (reason := await self._proxied.check.refusal(destination.url)):
            raise AddressBlocked(reason)
        connection, made = await self._connect(destination.origin, deadline_s, fresh)
        try:
            answer = await exchange(connection, message, deadline_s, made is None)
            return answer if made is None else answer._replace(connected_s=made[0], looked_up_s=made[1])
        except HttpProcessingError as error:
            about = destination.origin.request_info
            raise aiohttp.ClientResponseError(about, (), status=error.code, message=reason_of(error)) from error
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

    async def _connect(
        self, origin: aiohttp.ClientRequest, deadline_s: float, fresh: bool
    ) -> tuple[Connection, tuple[float, float] | None]:
        """A new connection, or a kept one on which nothing waits: what a host says unasked answers no later request.

        And the seconds that it took, with those of them that went into the name; None = it was kept.
        """
        clock, begun_s = asyncio.get_running_loop().time, None
        looking_up = [0.0]
        LOOKING_UP.set(looking_up)
        while (left_s := deadline_s - (now_s := clock())) > 0:
            begun_s = now_s if begun_s is None else begun_s
            try:
                timeout = _connect_timeout(min(self._connect_timeout_s, left_s))
                connection = await self._connector.connect(origin, [], timeout)
            except TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError("no connection in time") from error
            protocol = protocol_of(connection)
            kept = protocol in self._used
            self._used.add(protocol)
            connected_s = clock()
            if connected_s < deadline_s and not (kept and (fresh or protocol.should_close)):
                return connection, None if kept else (connected_s - begun_s, looking_up[0])
            connection.close()
        raise aiohttp.ConnectionTimeoutError("no connection in time")


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

"""POSTs over guarded connections. Never follows a redirect, keeps a cookie or sends a URL's userinfo."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import HttpProcessingError

from worker.http.aiohttp_inside.answer_parser import reason_of
from worker.http.aiohttp_inside.destination import Destinations
from worker.http.aiohttp_inside.exchange import exchange, written
from worker.http.aiohttp_inside.host_connections import HostConnection, HostConnections
from worker.http.answer import Answer
from worker.http.connector import LOOKING_UP, AddressBlocked, AddressRule, guarded_connector
from worker.http.proxies import ProxiedWay

Took = tuple[float, float]
"""Seconds until there was a connection, and those of them that went into the name."""
_NO_TIME: Took = 0.0, 0.0


class Session:
    """Requests over the connections of one connector, which it closes. Use with ``async with``.

    ``connect_timeout_s`` spans lookup, connect and TLS handshake; ``request_timeout_s`` everything. ``tls`` None = the
    system's certificates. With ``proxied`` every request goes through a proxy.
    """

    def __init__(
        self,
        connector: aiohttp.BaseConnector,
        *,
        connect_timeout_s: float = 5.0,
        request_timeout_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
        proxied: ProxiedWay | None = None,
    ) -> None:
        self._connector = connector
        self._now = asyncio.get_running_loop().time  # kept, since asking for the loop is a system call
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_s = request_timeout_s
        self._proxied = proxied
        self.connections = HostConnections()
        """Those that are open."""
        self._destinations = Destinations(tls, proxied)

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
        deadline_s = self._now() + within_s
        destination = self._destinations.find(url)
        message = written(destination.asking(query) if query else destination.start_lines, headers, body)
        if self._proxied is not None and (reason := await self._proxied.check.refusal(destination.url)):
            raise AddressBlocked(reason)
        origin, now_s, took = destination.origin, self._now(), _NO_TIME
        connection = None if fresh or now_s >= deadline_s else self.connections.take(origin, now_s)
        if connection is None:
            connection, took = await self._connect(origin, deadline_s)
        self.connections.expect(connection, deadline_s)
        try:
            answer = await exchange(connection, message, deadline_s, self._now)
            return answer if took is _NO_TIME else answer._replace(connected_s=took[0], looked_up_s=took[1])
        except HttpProcessingError as error:
            about = origin.request_info
            raise aiohttp.ClientResponseError(about, (), status=error.code, message=reason_of(error)) from error
        finally:
            if connection.parser.idle:
                self.connections.keep(origin, connection, self._now())
            else:
                self.connections.end(connection)

    @property
    def connector(self) -> aiohttp.BaseConnector:
        return self._connector

    @property
    def closed(self) -> bool:
        return self._connector.closed

    async def close(self) -> None:
        """End every connection, also under requests and to hosts that do not read."""
        self.connections.close()
        await self._connector.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _connect(self, origin: aiohttp.ClientRequest, deadline_s: float) -> tuple[HostConnection, Took]:
        """A new connection, and the seconds that it took."""
        begun_s, looking_up = self._now(), [0.0]
        if begun_s >= deadline_s:
            raise aiohttp.ConnectionTimeoutError("no connection in time")
        LOOKING_UP.set(looking_up)
        timeout = _connect_timeout(min(self._connect_timeout_s, deadline_s - begun_s))
        try:
            made = await self._connector.connect(origin, [], timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("no connection in time") from error
        connection = self.connections.add(made)
        if (connected_s := self._now()) >= deadline_s:
            self.connections.end(connection)
            raise aiohttp.ConnectionTimeoutError("no connection in time")
        return connection, (connected_s - begun_s, looking_up[0])


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
    connector = guarded_connector(rule, denied_ports=denied_ports, resolver=resolver)
    return Session(
        connector,
        connect_timeout_s=connect_timeout_s,
        request_timeout_s=request_timeout_s,
        tls=tls,
        proxied=proxied,
    )


@lru_cache(maxsize=256)
def _connect_timeout(timeout_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=timeout_s)

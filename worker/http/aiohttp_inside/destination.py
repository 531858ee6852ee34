"""Everything about a request that its URL decides: where to connect, and how the request begins (RFC 9112 §3, §5).

Made once for each URL, in its general form; refuses a URL that no notification goes to. Never connects.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from worker.http.aiohttp_inside.exchange import ALWAYS, header_lines
from worker.http.connector import AddressBlocked
from worker.http.proxies import ProxiedWay
from worker.http.request_target import asked_with, request_target, sent_url
from worker.http.tls import public_context

KEPT_DESTINATIONS = 4096


class Destination(NamedTuple):
    """``origin`` is handed to the connector; every request begins with ``start_lines``."""

    url: URL
    origin: aiohttp.ClientRequest
    start_lines: str

    def asking(self, query: str) -> str:
        """The same for a GET of the URL with ``query``; such a one is not kept, as no other has it."""
        _, target, rest = self.start_lines.split(" ", 2)
        return f"{hdrs.METH_GET} {asked_with(target, query)} {rest}"


class Destinations:
    """Those of one session. ``tls`` None = the system's certificates. With ``proxied`` all lie behind a proxy."""

    def __init__(self, tls: ssl.SSLContext | None, proxied: ProxiedWay | None) -> None:
        self._tls = tls
        self._proxied = proxied
        self.find = lru_cache(KEPT_DESTINATIONS)(self._find)
        self._origin = lru_cache(KEPT_DESTINATIONS)(self._make_origin)

    def _find(self, text: str) -> Destination:
        """Raises ``AddressBlocked`` for a URL with userinfo, another scheme or a host that cannot be read."""
        url = _readable(text)
        origin = self._origin(url.origin())
        relayed = self._proxied is not None and not origin.is_ssl()
        credentials = self._proxied.credentials if self._proxied is not None and relayed else None
        target = request_target(text) if credentials is None else sent_url(text)
        return Destination(url, origin, _start_lines(target, origin.headers[hdrs.HOST], credentials))

    def _make_origin(self, url: URL) -> aiohttp.ClientRequest:
        proxy = URL(self._proxied.address.url) if self._proxied else None
        tls = (self._tls or public_context()) if url.scheme == "https" else True
        request = aiohttp.ClientRequest(hdrs.METH_POST, url, loop=asyncio.get_running_loop(), proxy=proxy, ssl=tls)
        if self._proxied is not None:
            host = {hdrs.HOST: request.headers[hdrs.HOST]}
            request.proxy_headers = CIMultiDict(host | ALWAYS | self._proxied.credentials)
        return request


def _start_lines(target: str, host: str, proxy_headers: Mapping[str, str] | None) -> str:
    """Request line and Host. With ``proxy_headers`` for a proxy that passes the request on (RFC 9112 §3.2.2)."""
    return f"{hdrs.METH_POST} {target} HTTP/1.1\r\nHost: {host}\r\n{header_lines(proxy_headers or {})}"


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

"""Writes the first part of a POST: request line and headers (RFC 9112 §3, §5). Pure; never sends.

What is constant for a URL (``start``) and for a set of names is written once, the rest for every request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from aiohttp import hdrs
from yarl import URL

ALWAYS = {"User-Agent": "marketplace-dispatcher/1", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers of every request that does not bring them."""
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""What neither names nor values of headers hold (RFC 9110 §5.5)."""


def start(url: URL, host: str, proxy_headers: Mapping[str, str] | None = None) -> str:
    """Request line and Host. With ``proxy_headers`` for a proxy that passes the request on (RFC 9112 §3.2.2)."""
    if proxy_headers is None:
        return f"{hdrs.METH_POST} {url.raw_path_qs} HTTP/1.1\r\nHost: {host}\r\n"
    return f"{hdrs.METH_POST} {url.with_fragment(None)} HTTP/1.1\r\nHost: {host}\r\n{_lines(proxy_headers)}"


def head(begun: str, headers: Mapping[str, str], body_bytes: int) -> bytes:
    """All that goes before the body. ``begun`` is of ``start``. Raises ``ValueError`` for what HTTP does not allow."""
    if _forbidden("".join(headers) + "".join(headers.values())):
        raise ValueError("a header holds a control character")
    return f"{begun}{_missing(tuple(headers))}Content-Length: {body_bytes}\r\n{_lines(headers)}\r\n".encode()


@lru_cache(maxsize=256)
def _missing(names: tuple[str, ...]) -> str:
    """The lines of ``ALWAYS`` that are not among ``names``."""
    given = {name.lower() for name in names}
    return _lines({name: value for name, value in ALWAYS.items() if name.lower() not in given})


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])

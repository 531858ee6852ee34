"""Reads the URL of an HTTP proxy: where it is, and who one has to be there. Never resolves or contacts anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from yarl import URL

DEFAULT_PORT: Final = 3128


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """``url`` holds no credentials; ``username`` empty = none are sent."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def read_proxy(text: str) -> ProxyAddress | str:
    """``http://[user:password@]host[:3128]``, or what is wrong with it, in words that repeat nothing of it.

    A proxy is spoken to in clear and tunnels TLS (CONNECT, RFC 9110 §9.3.6), so that a client certificate and a
    private CA are for the host alone.
    """
    try:
        url = URL(text)
        host, explicit = url.raw_host, url.explicit_port
    except ValueError:
        return "it is no URL"
    if url.scheme != "http":
        return "it does not begin with http:// (to hosts with https:// it is a tunnel, encrypted all the way)"
    if not host or explicit == 0:
        return "it names no host, or no usable port"
    if url.raw_path not in ("", "/") or url.raw_query_string or url.raw_fragment:
        return "it has a path, a query or a fragment"
    if url.user and ":" in url.user:
        return "its user name holds a colon (RFC 7617 §2)"
    return ProxyAddress(host, explicit or DEFAULT_PORT, url.user or "", url.password or "")

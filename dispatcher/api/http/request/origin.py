"""The address that a request comes from. Believes ``X-Forwarded-For`` of trusted proxies only."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network


def address_of(request: web.Request, trusted: Sequence[Network]) -> str | None:
    """The last address in ``X-Forwarded-For`` that is not a trusted proxy's; without one, the connection's own."""
    address = request.remote or None
    if not trusted:
        return address
    hops = [hop.strip() for value in request.headers.getall("X-Forwarded-For", []) for hop in value.split(",")]
    while hops and address is not None and _is_within(address, trusted):
        hop = hops.pop()
        if _read(hop) is None:
            break
        address = hop
    return address


def _is_within(text: str, networks: Sequence[Network]) -> bool:
    address = _read(text)
    return address is not None and any(address in network for network in networks)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

"""IP addresses that notifications may go to: the public internet, and what the operator allows. No DNS, no I/O.

``ipaddress.is_global`` is not enough: it passes NAT64, 6to4, IPv4-compatible and site-local addresses that reach
the inside. The tables are the IANA special-purpose registries and cloud metadata, default deny for IPv6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED_IPV4: Final[tuple[tuple[str, str], ...]] = (
    ("169.254.169.254/32", "metadata"),
    ("168.63.129.16/32", "metadata"),
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier_nat"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link_local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "reserved"),
    ("192.52.193.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "reserved"),
    ("198.18.0.0/15", "benchmark"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
)

REFUSED_IPV6: Final[tuple[tuple[str, str], ...]] = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "embedded_ipv4"),
    ("::ffff:0:0:0/96", "embedded_ipv4"),
    ("::/96", "embedded_ipv4"),
    ("64:ff9b::/96", "embedded_ipv4"),
    ("64:ff9b:1::/48", "embedded_ipv4"),
    ("100::/64", "discard"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "embedded_ipv4"),
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "reserved"),
    ("fd00:ec2::254/128", "metadata"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link_local"),
    ("fec0::/10", "site_local"),
    ("ff00::/8", "multicast"),
)
_ALLOWED_IPV6: Final = IPv6Network("2000::/3")
NOT_GLOBAL: Final = "not_global_unicast"
OWN_ADDRESS: Final = "own_address"
DENIED: Final = "denied_network"

_Row = tuple[int, int, str]


def _row(network: Network, reason: str) -> _Row:
    return int(network.netmask), int(network.network_address), reason


_ISATAP: Final[_Row] = (0xFCFF_FFFF << 32, 0x0000_5EFE << 32, "embedded_ipv4")
"""Behind any prefix: an interface identifier of 00-00-5E-FE, with or without the u and g bits (RFC 5214 §6.1)."""

_IPV4_ROWS: Final = tuple(_row(IPv4Network(cidr), reason) for cidr, reason in REFUSED_IPV4)
_IPV6_ROWS: Final = (*(_row(IPv6Network(cidr), reason) for cidr, reason in REFUSED_IPV6), _ISATAP)


def refusal(
    ip: Address,
    allow_networks: Sequence[Network] = (),
    own: Sequence[Address] = (),
    deny_networks: Sequence[Network] = (),
) -> str | None:
    """The reason class why nothing may be sent to ``ip``, which names no address; None = it may.

    The operator's word wins over everything, and ``deny_networks`` over ``allow_networks``; ``own`` are addresses of
    this machine and of Redis. An IPv4 address that is written inside an IPv6 one is judged as both.
    """
    return _refusal(ip, tuple(allow_networks), tuple(own), tuple(deny_networks))


@lru_cache(maxsize=4096)
def _refusal(
    ip: Address, allow_networks: tuple[Network, ...], own: tuple[Address, ...], deny_networks: tuple[Network, ...]
) -> str | None:
    meant: tuple[Address, ...] = (ip, *embedded_ipv4(ip)) if isinstance(ip, IPv6Address) else (ip,)
    if _any_holds(deny_networks, meant):
        return DENIED
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    if _any_holds(allow_networks, (ip, mapped) if mapped else (ip,)):
        return None
    if any(one in own for one in meant):
        return OWN_ADDRESS
    return _first_match(int(ip), _IPV4_ROWS) if isinstance(ip, IPv4Address) else _refusal_v6(ip)


def _any_holds(networks: tuple[Network, ...], addresses: tuple[Address, ...]) -> bool:
    return any(_holds(network, ip) for network in networks for ip in addresses)


def _holds(network: Network, ip: Address) -> bool:
    return network.version == ip.version and int(ip) & int(network.netmask) == int(network.network_address)


def _refusal_v6(ip: IPv6Address) -> str | None:
    reason = _first_match(int(ip), _IPV6_ROWS)
    if reason is None:
        return None if ip in _ALLOWED_IPV6 else NOT_GLOBAL
    inner = (_first_match(int(one), _IPV4_ROWS) for one in embedded_ipv4(ip))
    return next((one for one in inner if one is not None), reason)


def _first_match(value: int, rows: tuple[_Row, ...]) -> str | None:
    for mask, prefix, reason in rows:
        if value & mask == prefix:
            return reason
    return None


def embedded_ipv4(ip: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that transition mechanisms would reach: mapped, translated, NAT64, 6to4, Teredo, ISATAP.

    Of Teredo the client, then the server that its packets go by. A NAT64 prefix of the network's own is not known here.
    """
    return tuple(_embedded(ip, int(ip))) if int(ip) > 1 else ()


def _embedded(ip: IPv6Address, value: int) -> Iterator[IPv4Address]:
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        server, client = ip.teredo
        yield client
        yield server
    mask, prefix, _ = _ISATAP
    if value & mask == prefix or any(ip in network for network in _LOW_32_BITS):
        yield IPv4Address(value & 0xFFFF_FFFF)
    if ip in _LOCAL_NAT64:
        yield IPv4Address((value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF)


_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
"""Of the whole prefix the IPv4 address is around bits 64 to 71, of a /96 in it the last 32 (RFC 6052 §2.2)."""
_LOW_32_BITS: Final = (
    *(IPv6Network(cidr) for cidr in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")),
    _LOCAL_NAT64,
)

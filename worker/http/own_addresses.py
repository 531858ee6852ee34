"""Addresses of this deployment itself: of this machine's interfaces, of the API's listener and of Redis.

Read once at start; whatever cannot be found out is left out, since tables of refused networks apply as well.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

LOOKUP_TIMEOUT_S = 3.0

_FIB_TRIE = Path("/proc/net/fib_trie")
_IF_INET6 = Path("/proc/net/if_inet6")
_LOCAL_V4 = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")
_PUBLIC: tuple[tuple[socket.AddressFamily, str], ...] = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)
"""Addresses of nobody: asked which source address would be used to get there, nothing is sent."""

Address = IPv4Address | IPv6Address


async def own_addresses(hosts: Iterable[str]) -> tuple[Address, ...]:
    """Interface addresses and those of ``hosts``: names and addresses where we listen or keep our data."""
    found = {*interface_addresses(), *await _resolved(list(hosts))}
    return tuple(sorted((one for one in found if not one.is_unspecified), key=lambda one: (one.version, int(one))))


def interface_addresses() -> set[Address]:
    """On Linux all of them; elsewhere those of the machine's name and of its default routes."""
    found: set[Address] = {ip_address(one) for one in _LOCAL_V4.findall(_text(_FIB_TRIE))}
    found.update(ip_address(int(line.split()[0], 16).to_bytes(16)) for line in _text(_IF_INET6).splitlines())
    return found | set(_source_addresses())


def hosts_of(urls: Iterable[str]) -> Iterator[str]:
    """The hosts of Redis URLs, several of which one may name; none for a Unix socket."""
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "unix":
            location = parts.netloc.rpartition("@")[2]
            yield from filter(None, (urlsplit(f"//{one}").hostname for one in location.split(",")))


def _source_addresses() -> Iterator[Address]:
    for family, elsewhere in _PUBLIC:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                yield ip_address(probe.getsockname()[0])
        except OSError:
            continue


async def _resolved(hosts: list[str]) -> set[Address]:
    answers = await asyncio.gather(*(_addresses(host) for host in hosts))
    return {one for answer in answers for one in answer}


async def _addresses(host: str) -> set[Address]:
    try:
        async with asyncio.timeout(LOOKUP_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {ip_address(str(info[4][0])) for info in found}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

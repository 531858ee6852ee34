"""URLs that notifications may go to, judged by their text alone. Never resolves a name and never raises.

What a name resolves to is judged where the connection is made, by ``dispatcher.policy.addresses.networks``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from yarl import URL

from dispatcher.errors import Problem
from dispatcher.policy.addresses.legacy_ipv4 import looks_numeric, parse_legacy_ipv4
from dispatcher.policy.addresses.networks import Address, Network, refusal

CODE: Final = "url_not_allowed"
MAX_URL_CHARS = 2048

SERVICE_PORTS: frozenset[int] = frozenset(
    {1433, 1434, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5671, 5672, 5900, 5901, 5984, 5985, 5986}
    | {6379, 6380, 6443, 6667, 7000, 7001, 8300, 8301, 8500, 8600, 9042, 9092, 9160, 9200, 9300, 10250, 10255, 11211}
    | {15672, 16379, 26379, 27017, 27018, 27019, 28017}
)
"""Databases, brokers, caches, remote desktops and cluster control planes above 1023."""

SPECIAL_SUFFIXES: tuple[str, ...] = (
    "internal",
    "local",
    "localhost",
    "localdomain",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "onion",
    "test",
    "invalid",
    "alt",
    "lan",
    "intranet",
    "corp",
    "home",
    "private",
)

_VARIABLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\}")
_STAND_IN = "x"
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.ASCII)
_LOCALHOST: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True, slots=True)
class Ports:
    """80, 443 and everything above 1023 but the well-known services; an operator may widen or narrow it.

    ``denied`` is the operator's word and wins over everything, allowed networks included.
    """

    allowed: frozenset[int] = frozenset()
    refused: frozenset[int] = SERVICE_PORTS
    denied: frozenset[int] = frozenset()

    def allows(self, port: int) -> bool:
        if port in self.denied:
            return False
        if port in self.allowed:
            return True
        return port in (80, 443) or (1024 <= port <= 65535 and port not in self.refused)


DEFAULT_PORTS = Ports()

_TEXTS: dict[str, str] = {
    "too_long": f"it is longer than {MAX_URL_CHARS} characters",
    "characters": "it holds a space, a control character, a backslash or an invisible character",
    "malformed": "it is not an absolute URL with a valid host",
    "scheme": "its scheme is not https or http",
    "https_required": "plain http is switched off here (DISPATCHER_REQUIRE_HTTPS)",
    "userinfo": "it holds a user name or password; use outboundCredentials",
    "fragment": "it has a fragment, which is never sent",
    "port": "its port is not 80, 443 or above 1023, or belongs to a well-known service (DISPATCHER_ALLOW_PORTS)",
    "single_label_host": "its host is a single label; use a full domain name",
    "special_name": "its host is a name for internal or special use",
    "ambiguous_address": "its host is an IP address in a spelling that programs read differently",
}
_ADDRESS_TEXT = "its host is an address that notifications must not go to (DISPATCHER_ALLOW_NETWORKS can allow it)"


def check_url(
    url: str,
    *,
    require_https: bool,
    allow_networks: Sequence[Network] = (),
    deny_networks: Sequence[Network] = (),
    ports: Ports = DEFAULT_PORTS,
    field: str | None = None,
) -> Problem | None:
    """The reason why a URL or URL template (``https://{Subdomain}.example.com/``) is refused, or None.

    The code is ``url_not_allowed``; the message names the reason class, never an address.
    """
    reason = url_refusal(
        url, require_https=require_https, allow_networks=allow_networks, deny_networks=deny_networks, ports=ports
    )
    if reason is None:
        return None
    return Problem(CODE, f"the URL is not allowed ({reason}): {_TEXTS.get(reason, _ADDRESS_TEXT)}", field)


def url_refusal(
    url: str,
    *,
    require_https: bool,
    allow_networks: Sequence[Network] = (),
    deny_networks: Sequence[Network] = (),
    ports: Ports = DEFAULT_PORTS,
) -> str | None:
    """The reason class alone, e.g. ``userinfo`` or ``loopback``."""
    filled = _VARIABLE.sub(_STAND_IN, url)
    reason = _text_refusal(url, filled)
    if reason:
        return reason
    parsed = _parsed(filled)
    if parsed is None:
        return "malformed"
    scheme, host, port = parsed
    if scheme == "http" and require_https:
        return "https_required"
    if port in ports.denied or (not ports.allows(port) and not _is_allowed_inside(host, allow_networks)):
        return "port"
    open_ended = filled != url and host == _STAND_IN
    return None if open_ended else _host_refusal(host, allow_networks, deny_networks)


def unfilled(url: str) -> str | None:
    """The text about a template in the place of a URL: the variables that it still has; None = it has none."""
    names = _VARIABLE.findall(url) if "{" in url else ()
    if not names:
        return None
    return f"nothing was sent, the URL has variables without a value ({', '.join(names)}): write the values into it"


def _parsed(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port as the HTTP client will understand them, IDNA included."""
    try:
        parsed = URL(url)
        host = parsed.host and parsed.raw_host
    except ValueError:
        return None
    return (parsed.scheme, host.lower(), parsed.port or 0) if host else None


def _is_allowed_inside(host: str, allow_networks: Sequence[Network]) -> bool:
    """A network that is opened by name is opened with its ports: its services are the operator's own."""
    literal = _literal(host)
    return literal is not None and any(literal in network for network in allow_networks)


def _text_refusal(url: str, filled: str) -> str | None:
    if len(url) > MAX_URL_CHARS:
        return "too_long"
    if not filled.isprintable() or "\\" in filled or any(char.isspace() for char in filled):
        return "characters"
    if "#" in filled:
        return "fragment"
    scheme, separator, rest = filled.partition("://")
    if not separator:
        return "malformed"
    if scheme.lower() not in ("https", "http"):
        return "scheme"
    return "userinfo" if "@" in re.split(r"[/?]", rest, maxsplit=1)[0] else None


def _host_refusal(host: str, allow_networks: Sequence[Network], deny_networks: Sequence[Network]) -> str | None:
    literal = _literal(host)
    if literal is not None:
        return refusal(literal, allow_networks, deny_networks=deny_networks)
    if looks_numeric(host):
        legacy = parse_legacy_ipv4(host)
        return (legacy is not None and refusal(legacy)) or "ambiguous_address"
    if len(host) > 253 or not _HOST.fullmatch(host):
        return "malformed"
    return _name_refusal(host.rstrip("."), allow_networks)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _name_refusal(name: str, allow_networks: Sequence[Network]) -> str | None:
    """Internal names need an allowed network: where they lead is checked when the connection is made."""
    if name == "localhost" or name.endswith(".localhost"):
        allowed = any(refusal(ip, allow_networks) is None for ip in _LOCALHOST)
        return None if allowed else "loopback"
    if allow_networks:
        return None
    if "." not in name:
        return "single_label_host"
    special = any(name == suffix or name.endswith("." + suffix) for suffix in SPECIAL_SUFFIXES)
    return "special_name" if special else None

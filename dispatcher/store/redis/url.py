"""Reads DISPATCHER_REDIS_URL into what a connection needs. Never connects, never repeats a password."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dispatcher.errors import ConfigurationError

ALLOWED = (
    "allowed: redis://[user:password@]host[:6379][/0], rediss://… (TLS), unix:///path/to/socket[?db=0], "
    "redis+sentinel://host[:26379][,host2]/master-name[/0], redis+cluster://host[:6379][,host2]"
)
TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
OPTIONS = TLS_OPTIONS | {"db", "sentinel_password"}


class Topology(StrEnum):
    """Arrangement of the servers behind a URL; the value is the URL's scheme."""

    TCP = "redis"
    TLS = "rediss"
    SOCKET = "unix"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """A server, or several: ``hosts`` then holds the sentinels or cluster nodes."""

    topology: Topology
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = None
    master: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"<RedisTarget {self.label}>"

    @property
    def label(self) -> str:
        """The target without its credentials, for messages."""
        where = self.path or ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{self.topology}://{where}" + (f"/{self.master}" if self.master else "")


def parse(url: str) -> RedisTarget:
    """Raises ConfigurationError, which says what is allowed and never the URL itself: it may hold a password."""
    try:
        parts = urlsplit(url)
        topology = Topology(parts.scheme)
    except ValueError:
        raise _malformed("the scheme is unknown" if "://" in url else "it is no URL") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - OPTIONS):
        raise _malformed(f"the option {unknown[0]!r} is unknown, known are {', '.join(sorted(OPTIONS))}")
    if parts.fragment:
        raise _malformed("'#' must be written as %23")
    username, password, location = _credentials(parts)
    segments = [] if topology is Topology.SOCKET else [unquote(part) for part in parts.path.split("/") if part]
    master = _master(topology, segments)
    return RedisTarget(
        topology,
        hosts=_hosts(topology, location),
        path=_socket_path(topology, parts),
        db=_database(topology, segments, options.pop("db", None)),
        username=username,
        password=password,
        master=master,
        options=tuple(options.items()),
    )


def _malformed(why: str) -> ConfigurationError:
    return ConfigurationError(f"DISPATCHER_REDIS_URL cannot be used: {why}; {ALLOWED}")


def _credentials(parts: SplitResult) -> tuple[str | None, str | None, str]:
    userinfo, _, location = parts.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    return unquote(username) or None, unquote(password) or None, location


def _master(topology: Topology, segments: list[str]) -> str:
    if topology is not Topology.SENTINEL:
        return ""
    if not segments:
        raise _malformed("the name of the Sentinel master is missing")
    return segments.pop(0)


def _hosts(topology: Topology, location: str) -> tuple[tuple[str, int], ...]:
    if topology is Topology.SOCKET:
        return ()
    default_port = 26379 if topology is Topology.SENTINEL else 6379
    hosts = tuple(_host(item, default_port) for item in location.split(","))
    if len(hosts) > 1 and topology in {Topology.TCP, Topology.TLS}:
        raise _malformed("several hosts need redis+sentinel:// or redis+cluster://")
    return hosts


def _host(item: str, default_port: int) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{item}")
        host, port = split.hostname, split.port
    except ValueError:
        raise _malformed("a port is not a number from 1 to 65535") from None
    if not host or port == 0:
        raise _malformed("a host is missing" if not host else "a port is not a number from 1 to 65535")
    return host, port or default_port


def _socket_path(topology: Topology, parts: SplitResult) -> str:
    if topology is not Topology.SOCKET:
        return ""
    path = unquote(parts.path)
    if not path.startswith("/") or path == "/":
        raise _malformed("the path of the socket is missing")
    return path


def _database(topology: Topology, segments: list[str], option: str | None) -> int:
    text = option if option is not None else (segments.pop(0) if segments else "0")
    if segments or not (text.isascii() and text.isdigit() and len(text) < 6):
        raise _malformed("the database is not a number")
    if topology is Topology.CLUSTER and int(text):
        raise _malformed("a cluster has only database 0")
    return int(text)

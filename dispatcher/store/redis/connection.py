"""Connects to Redis with every limit stated, and names the failures after which the outcome is unknown.

Never retries a command by itself: the callers' scripts are safe to repeat, and they decide when.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from redis import exceptions as failures
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from dispatcher.errors import ConfigurationError, StoreDeclined, StoreUnavailable, StoreUnusable
from dispatcher.store.redis.cancellable import SentinelConnection, SocketConnection, TcpConnection, TlsConnection
from dispatcher.store.redis.cluster import LastingCluster
from dispatcher.store.redis.refusals import refusal
from dispatcher.store.redis.url import TLS_OPTIONS, RedisTarget, Topology, parse

SOCKET_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
POOL_TIMEOUT_S = 5
"""Time that a caller waits for one of ``max_connections``."""
HEALTH_CHECK_INTERVAL_S = 15
MAX_CONNECTIONS = 64

UNAVAILABLE_CODES = frozenset({"NOREPLICAS", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "UNKILLABLE"})
"""Error codes that redis-py has no class for, all of which pass without our doing."""

DECLINED = (failures.AskError, failures.TryAgainError, failures.ClusterDownError)
"""Answers of a cluster's node that did not begin: the slot moves, is elsewhere, or nobody serves it."""

UNAVAILABLE = (
    failures.ConnectionError,
    failures.TimeoutError,
    failures.ReadOnlyError,
    failures.OutOfMemoryError,
    failures.ClusterError,
    failures.TryAgainError,
    failures.RedisClusterException,
    OSError,
    failures.WatchError,  # a connection that ends while it watches keys says no more than this
)


def connect(url: str, *, max_connections: int = MAX_CONNECTIONS, client_name: str = "dispatcher") -> Redis:
    """A client of one server, of the master that Sentinel names, or of a cluster; nothing is sent yet.

    A cluster's client has the same commands but no pub/sub: see ``connect_listener``.
    """
    target = parse(url)
    if target.topology is Topology.CLUSTER:
        return cast("Redis", _cluster(target, max_connections, client_name))
    return Redis.from_pool(_pool(target, max_connections, client_name))


def beside(client: Redis, *, max_connections: int) -> Redis:
    """A client of the same servers with connections of its own, so that neither waits for the other's.

    A cluster's nodes have enough for both, and no caller waits for one: it is the same client.
    """
    pool = getattr(client, "connection_pool", None)
    if isinstance(pool, SentinelPool):
        return Redis.from_pool(SentinelPool(pool.target, pool.limits | {"max_connections": max_connections}))
    if not isinstance(pool, BlockingConnectionPool):
        return client
    settings = pool.connection_kwargs | {"max_connections": max_connections, "timeout": POOL_TIMEOUT_S}
    return Redis.from_pool(BlockingConnectionPool(connection_class=pool.connection_class, **settings))


def connect_listener(url: str, *, client_name: str = "dispatcher-listener") -> Redis:
    """A client for subscriptions; in a cluster any node hears what is published on another."""
    target = parse(url)
    if target.topology is Topology.CLUSTER:
        host, port = target.hosts[0]
        limits = _limits(target, 4, client_name)
        return Redis.from_pool(BlockingConnectionPool(connection_class=TcpConnection, host=host, port=port, **limits))
    return Redis.from_pool(_pool(target, 4, client_name))


def connection_pool(
    url: str, *, max_connections: int = MAX_CONNECTIONS, client_name: str = "dispatcher-queue"
) -> BlockingConnectionPool:
    """The pool alone, for clients of other make such as arq's; a cluster has none."""
    target = parse(url)
    if target.topology is Topology.CLUSTER:
        raise ConfigurationError("arq cannot keep its jobs in a cluster: set DISPATCHER_QUEUE_REDIS_URL")
    return _pool(target, max_connections, client_name)


@contextmanager
def guarded() -> Iterator[None]:
    """Raises StoreUnavailable where Redis did not answer or refuses; lets every other error pass."""
    try:
        yield
    except (*UNAVAILABLE, failures.RedisError, RuntimeError) as error:
        if (outage := outage_of(error)) is None:
            raise
        raise outage from error


def outage_of(error: Exception) -> StoreUnavailable | None:
    """The error to raise where Redis cannot do it for now, or not for this user; None: the command is wrong."""
    if why := refusal(error):
        return StoreUnusable(why)
    if isinstance(error, DECLINED):
        return StoreDeclined(f"the cluster declines ({type(error).__name__}: {error}); nothing was done, repeat it")
    if isinstance(error, UNAVAILABLE) or str(error).partition(" ")[0] in UNAVAILABLE_CODES:
        return _unavailable(error)
    # uvloop reports a write to a connection that was cut this very moment in this way.
    cut = isinstance(error, RuntimeError) and "handler is closed" in str(error)
    return _unavailable(error) if cut else None


def _unavailable(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"Redis is not available ({type(error).__name__}: {error}); "
        "whether the last write took place is unknown, repeating it is safe"
    )


def _limits(target: RedisTarget, max_connections: int, client_name: str) -> dict[str, Any]:
    return {
        "max_connections": max_connections,
        "timeout": POOL_TIMEOUT_S,
        "socket_keepalive": True,
        **_session(target, client_name),
    }


def _session(target: RedisTarget, client_name: str) -> dict[str, Any]:
    """Settings of every connection. ``retry`` None = a command is sent once."""
    return {
        "db": target.db,
        "username": target.username,
        "password": target.password,
        "client_name": client_name,
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "health_check_interval": HEALTH_CHECK_INTERVAL_S,
        "retry": None,
        "protocol": 2,
        "decode_responses": False,
    }


def _pool(target: RedisTarget, max_connections: int, client_name: str) -> BlockingConnectionPool:
    limits = _limits(target, max_connections, client_name)
    if target.topology is Topology.SOCKET:
        del limits["socket_keepalive"]
        return BlockingConnectionPool(connection_class=SocketConnection, path=target.path, **limits)
    if target.topology is Topology.SENTINEL:
        return SentinelPool(target, limits)
    host, port = target.hosts[0]
    if target.topology is Topology.TLS:
        certificates = {name: value for name, value in target.options if name in TLS_OPTIONS}
        limits |= {"ssl_check_hostname": True, **certificates}
    connection = TlsConnection if target.topology is Topology.TLS else TcpConnection
    return BlockingConnectionPool(connection_class=connection, host=host, port=port, **limits)


class SentinelPool(BlockingConnectionPool, SentinelConnectionPool):
    """A bounded pool of connections to whichever server Sentinel calls the master when they are made."""

    def __init__(self, target: RedisTarget, limits: dict[str, Any]) -> None:
        password = dict(target.options).get("sentinel_password")
        session = _session(RedisTarget(Topology.TCP, password=password), limits["client_name"])
        sentinel = Sentinel(list(target.hosts), sentinel_kwargs=session)  # type: ignore[no-untyped-call]
        super().__init__(
            connection_class=SentinelConnection,
            service_name=target.master,
            sentinel_manager=sentinel,
            **limits,
        )
        self.target = target
        self.limits = limits

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def _cluster(target: RedisTarget, max_connections: int, client_name: str) -> LastingCluster:
    """A cluster's nodes do not queue callers, so each gets room for bursts."""
    return LastingCluster(
        target.hosts,
        max_connections=max(max_connections, 256),
        socket_keepalive=True,
        connection_error_retry_attempts=0,
        cluster_error_retry_attempts=0,
        **{name: value for name, value in _session(target, client_name).items() if name != "db"},
    )

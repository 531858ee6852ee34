"""Examines what a server says of itself (INFO). Asks nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatcher.store.health.doctor.findings import Check, Level

LEAST_VERSION = (7, 0)
MEMORY_WARN = 0.75
MEMORY_FAIL = 0.90

Info = dict[str, Any]


def product(info: Info) -> str:
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version', '?')}"


def _version(info: Info) -> Check:
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) >= LEAST_VERSION:
        return Check("version", Level.OK, product(info))
    return Check("version", Level.FAIL, f"{product(info)} is too old: use Redis 7.0 or later, or Valkey")


def _role(info: Info) -> Check:
    if info.get("role", "master") == "master":
        return Check("role", Level.OK, "writes are accepted")
    return Check("role", Level.FAIL, "this is a replica: give the master's address, or a redis+sentinel:// URL")


def _appendonly(info: Info) -> Check:
    if not info.get("aof_enabled"):
        return Check("appendonly", Level.FAIL, "no: a restart loses accepted events; CONFIG SET appendonly yes")
    if info.get("aof_last_write_status", "ok") != "ok":
        return Check("appendonly", Level.FAIL, "the last write to the append-only file failed: is the disk full?")
    return Check("appendonly", Level.OK, "yes")


def _memory(info: Info) -> Check:
    limit = int(info.get("maxmemory", 0))
    available = limit or int(info.get("total_system_memory", 0))
    share = int(info.get("used_memory", 0)) / available if available else 0.0
    what = f"{share:.0%} of {'maxmemory' if limit else 'the machine'}"
    if share >= MEMORY_WARN:
        level = Level.FAIL if share >= MEMORY_FAIL else Level.WARN
        return Check("memory", level, f"{what} used: raise maxmemory, or lower DISPATCHER_RETENTION_DAYS")
    if not limit:
        text = "there is no maxmemory, so that accepting cannot stop in time: CONFIG SET maxmemory"
        return Check("memory", Level.WARN, f"{what} used; {text}")
    return Check("memory", Level.OK, f"{what} used")


def _allocator(info: Info) -> Check:
    """Named, not judged: it is chosen where the server is built."""
    name = str(info.get("mem_allocator", "unknown"))
    slower = "" if "jemalloc" in name else ": long backlogs cost Redis up to twice the CPU that jemalloc does"
    return Check("allocator", Level.OK, f"{name}{slower}")


def replicas(info: Info, wanted: int) -> Check:
    """Those that Redis sends its writes to now."""
    connected = int(info.get("connected_slaves", 0))
    if connected >= wanted:
        return Check("replicas", Level.OK, f"{connected} connected, {wanted} waited for")
    text = f"{connected} connected, DISPATCHER_MIN_REPLICAS waits for {wanted}: nothing is accepted"
    return Check("replicas", Level.FAIL, text)


INFO_CHECKS: tuple[Callable[[Info], Check], ...] = (_version, _role, _appendonly, _memory, _allocator)

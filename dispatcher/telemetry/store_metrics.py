"""Metrics of the store, as one API process sees it. Reads nothing itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import generate_latest


def store_exposition(memory_ratio: float, losses: int) -> bytes:
    """Goes behind the page of the queue. ``losses`` counts from the start of this process."""
    registry = CollectorRegistry(auto_describe=False)
    ratio = Gauge(
        "dispatcher_store_memory_ratio", "Redis memory as a share of maxmemory; 0 without.", registry=registry
    )
    ratio.set(memory_ratio)
    lost = Counter("dispatcher_store_losses", "Times that Redis lost confirmed writes; stays 0.", registry=registry)
    lost.inc(losses)
    return generate_latest(registry)

"""Metrics of the store, as one API process sees it. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


def store_families(memory_ratio: float, losses: int) -> Iterator[Metric]:
    """Beside those of the queue. ``losses`` counts from the start of this process."""
    ratio = "Redis memory as a share of maxmemory; 0 without."
    yield GaugeMetricFamily("dispatcher_store_memory_ratio", ratio, value=memory_ratio)
    lost = "Times that Redis lost confirmed writes; stays 0."
    yield CounterMetricFamily("dispatcher_store_losses", lost, value=losses)

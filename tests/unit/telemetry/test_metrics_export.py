"""OTLP's form of metrics: names, labels and values are those that Prometheus is told."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from dispatcher.errors import ConfigurationError
from dispatcher.telemetry.metrics_export import MetricsExport, data_of

AT_NS = 1_700_000_000_000_000_000


def written(*families: Metric) -> dict[str, Any]:
    (resource,) = data_of(families, Resource({}), AT_NS).resource_metrics
    return {one.name: one.data for scope in resource.scope_metrics for one in scope.metrics}


def test_a_counter_is_a_growing_sum_by_its_name_in_queries() -> None:
    counted = CounterMetricFamily("dispatcher_attempts", "Attempts.", labels=["outcome"], created=5)
    counted.add_metric(["OK"], 3)
    told = written(counted)
    assert list(told) == ["dispatcher_attempts_total"]
    (point,) = told["dispatcher_attempts_total"].data_points
    assert (point.attributes, point.value, point.time_unix_nano) == ({"outcome": "OK"}, 3, AT_NS)
    assert told["dispatcher_attempts_total"].is_monotonic


def test_a_gauge_keeps_its_name() -> None:
    (point,) = written(GaugeMetricFamily("dispatcher_workers", "Workers.", value=2))["dispatcher_workers"].data_points
    assert (point.attributes, point.value) == ({}, 2)


def test_buckets_of_a_histogram_hold_their_own_alone() -> None:
    timed = HistogramMetricFamily("dispatcher_attempt_seconds", "Durations.")
    timed.add_metric([], [("0.1", 2), ("1.0", 2), ("+Inf", 7)], sum_value=9.5)
    (point,) = written(timed)["dispatcher_attempt_seconds"].data_points
    assert list(point.explicit_bounds) == [0.1, 1.0]
    assert list(point.bucket_counts) == [2, 0, 5]
    assert (point.count, point.sum) == (7, 9.5)


def test_an_address_without_the_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    async def nothing() -> list[Metric]:
        return []

    with pytest.raises(ConfigurationError, match=r"DISPATCHER_METRICS_URL .*marketplace-dispatcher\[otel\]"):
        MetricsExport("dispatcher-api", "http://127.0.0.1:4318/v1/metrics", nothing, lambda: 0)

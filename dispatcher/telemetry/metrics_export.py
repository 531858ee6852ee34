"""Metrics pushed by OTLP over HTTP, where a deployment sends them somewhere: those of ``/metrics``, by its names.

The extra ``otel`` sends them. Nothing else imports OpenTelemetry's metrics, and this only once somebody is to be told.
Counters are those of the whole deployment and older than this process: no series says since when it counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from dispatcher.errors import ConfigurationError
from dispatcher.periodic import every

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Histogram, MetricsData

Collect = Callable[[], Awaitable[Iterable[Metric]]]

_MISSING = (
    "DISPATCHER_METRICS_URL is set, and the extra that sends metrics is not installed: "
    "pip install 'marketplace-dispatcher[otel]', or unset it"
)
_NOT_SAID = 0
"""Since when a counter counts (OTLP: 0 = unknown)."""


class MetricsExport:
    """One per process."""

    def __init__(self, service: str, url: str, collect: Collect, now_ns: Callable[[], int]) -> None:
        """``url``: where they go. Raises ``ConfigurationError`` without the extra."""
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.resources import Resource
        except ImportError:
            raise ConfigurationError(_MISSING) from None
        self._resource = Resource.create({"service.name": service})
        self._exporter = OTLPMetricExporter(endpoint=url)
        self._collect = collect
        self._now_ns = now_ns

    async def push(self) -> None:
        """Send all figures once, off the event loop. One that does not arrive is logged by the exporter, and gone."""
        told = data_of(await self._collect(), self._resource, self._now_ns())
        await asyncio.to_thread(self._exporter.export, told)

    async def close(self) -> None:
        """Give up what is on its way."""
        await asyncio.to_thread(self._exporter.shutdown)


@asynccontextmanager
async def exporting(
    service: str, url: str | None, interval_s: float, collect: Collect, now_ns: Callable[[], int]
) -> AsyncIterator[None]:
    """Push while the context is open, every so often. Without ``url`` nothing happens."""
    if url is None:
        yield
        return
    export, stop = MetricsExport(service, url, collect, now_ns), asyncio.Event()
    pushing = asyncio.create_task(every(interval_s, export.push, stop, name="metrics"), name="metrics")
    try:
        yield
    finally:
        stop.set()
        await export.close()
        await asyncio.wait([pushing])


def data_of(metrics: Iterable[Metric], resource: Any, at_ns: int) -> MetricsData:
    """OTLP's form of what Prometheus would be told."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    told = [one for family in metrics for one in _written(family, at_ns)]
    scope = ScopeMetrics(InstrumentationScope("dispatcher"), told, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _written(family: Metric, at_ns: int) -> list[Any]:
    from opentelemetry.sdk.metrics import export as otlp

    if family.type == "histogram":
        return [otlp.Metric(family.name, family.documentation, "", _histogram(family.samples, at_ns))]
    by_name: dict[str, list[Sample]] = {}
    for sample in family.samples:
        if not sample.name.endswith("_created"):
            by_name.setdefault(sample.name, []).append(sample)
    written = []
    for name, samples in by_name.items():
        points = [otlp.NumberDataPoint(dict(one.labels), _NOT_SAID, at_ns, one.value) for one in samples]
        if family.type == "counter":
            data: Any = otlp.Sum(points, otlp.AggregationTemporality.CUMULATIVE, is_monotonic=True)
        else:
            data = otlp.Gauge(points)
        written.append(otlp.Metric(name, family.documentation, "", data))
    return written


def _histogram(samples: Iterable[Sample], at_ns: int) -> Histogram:
    from opentelemetry.sdk.metrics import export as otlp

    of_series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        of_series.setdefault(labels, []).append(sample)
    points = [_point(dict(labels), series, at_ns) for labels, series in of_series.items()]
    return otlp.Histogram(points, otlp.AggregationTemporality.CUMULATIVE)


def _point(labels: dict[str, str], series: list[Sample], at_ns: int) -> Any:
    """Prometheus' buckets hold what the smaller ones hold as well; those of OTLP do not."""
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    buckets = [(float(one.labels["le"]), int(one.value)) for one in series if one.name.endswith("_bucket")]
    counts = [count - before for (_, count), before in zip(buckets, [0, *(n for _, n in buckets)], strict=False)]
    total = next((one.value for one in series if one.name.endswith("_sum")), 0.0)
    unknown = cast("float", None)
    bounds = [bound for bound, _ in buckets if bound != float("inf")]
    count = buckets[-1][1] if buckets else 0
    return HistogramDataPoint(labels, _NOT_SAID, at_ns, count, total, counts, bounds, unknown, unknown)

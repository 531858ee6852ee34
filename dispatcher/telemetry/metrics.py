"""The queue in Prometheus' words, built from one overview and the fleet's counters. Counts nothing itself.

Labels have few values by construction: outcomes, statuses, kinds of repair. Never a product, account or URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.samples import Exemplar as Shown

from dispatcher.model.attempt import Outcome
from dispatcher.model.latency import BUCKET_NAMES
from dispatcher.model.queue import QueueOverview
from dispatcher.model.status import TERMINAL
from dispatcher.model.troubles import SetAside
from dispatcher.policy.figures.exemplars import NO_EXEMPLARS, Exemplar, Exemplars
from dispatcher.telemetry.watchdog import LAG_HELP, LAG_METRIC

_REPAIRS = ("job", "lane", "event", "open", "closed", "counter")
_GAUGES: tuple[tuple[str, str, str], ...] = (
    ("queue_ready", "ready", "Events that are due now."),
    ("queue_waiting", "waiting", "Events behind another of their account, or parked."),
    ("queue_scheduled", "scheduled", "Events that are due later."),
    ("queue_in_flight", "in_flight", "Events that are being attempted."),
    ("queue_awaiting_result", "awaiting", "Events answered with 202 whose result is not in yet."),
    ("queue_oldest_ready_seconds", "oldest_ready_s", "How long the oldest due event has been due; paused ones apart."),
    ("queue_oldest_paused_seconds", "oldest_paused_s", "The same of events whose integration is paused."),
    ("dead_letters", "dead_letters", "Events that are DEAD: their attempts are used up."),
    ("circuit_open", "circuits_open", "Integrations whose circuit is open."),
)
"""Metric, field of ``QueueOverview``, help."""

_COUNTERS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "attempts",
        "attempts:",
        "outcome",
        "Attempts that ended.",
        tuple(o.value for o in Outcome if o != Outcome.STARTED),
    ),
    ("events_terminal", "terminal:", "status", "Events that ended.", tuple(sorted(TERMINAL))),
    ("token_requests", "tokens:", "outcome", "Requests to token endpoints.", ("ok", "failed")),
    ("sweep_repairs", "repairs:", "kind", "Repairs of the queue's invariant; should stay 0.", _REPAIRS),
)
"""Metric, prefix of its counters, label, help, label values that are shown although still 0."""

_HISTOGRAMS: tuple[tuple[str, str, str], ...] = (
    ("attempt_seconds", "attempt_seconds", "How long attempts took."),
    ("delivery_latency_seconds", "delivery_latency", "From accepting an event to sending its first attempt."),
)
"""Metric, prefix of its counters, help."""


def lag_family(lag_s: float) -> Metric:
    """Of this process alone."""
    return GaugeMetricFamily(LAG_METRIC, LAG_HELP, value=lag_s)


def families(
    overview: QueueOverview,
    counters: Mapping[str, int],
    stale: int | None = 0,
    updates: int = 0,
    exemplars: Exemplars = NO_EXEMPLARS,
    set_aside: Iterable[SetAside] = (),
) -> Iterator[Metric]:
    """Every metric of the product, named ``dispatcher_…``; one of which nothing is known (None) is left out."""
    accepted = CounterMetricFamily("dispatcher_events_accepted", "Events accepted.")
    accepted.add_metric([], counters.get("accepted", 0))
    yield accepted
    for name, prefix, label, text, always in _COUNTERS:
        yield _labelled(name, prefix, label, text, always, counters)
    for name, prefix, text in _HISTOGRAMS:
        yield _histogram(name, prefix, text, counters, exemplars)
    for name, attribute, text in _GAUGES:
        yield GaugeMetricFamily(f"dispatcher_{name}", text, value=getattr(overview, attribute))
    yield GaugeMetricFamily("dispatcher_workers", "Workers heard of lately.", value=len(overview.workers))
    yield GaugeMetricFamily("dispatcher_updates_in_progress", "Installations that an update has locked.", value=updates)
    yield from _archive(counters)
    yield _intake(set_aside)
    if stale is not None:
        yield GaugeMetricFamily("dispatcher_sealed_stale", "Sealed values that need an older key.", value=stale)


def _archive(counters: Mapping[str, int]) -> Iterator[Metric]:
    archived = counters.get("archived", 0)
    yield CounterMetricFamily("dispatcher_events_archived", "Events that moved to the archive.", value=archived)
    there = archived - counters.get("archive_expired", 0)
    yield GaugeMetricFamily("dispatcher_archive_events", "Events in the archive.", value=there)


def _intake(set_aside: Iterable[SetAside]) -> Metric:
    """A source whose entries are all dealt with is left out."""
    found = GaugeMetricFamily(
        "dispatcher_intake_set_aside", "Entries that intake set aside, as it counted last.", labels=["source"]
    )
    for one in set_aside:
        found.add_metric([one.source], one.entries)
    return found


def _labelled(
    name: str, prefix: str, label: str, text: str, always: tuple[str, ...], counters: Mapping[str, int]
) -> Metric:
    values = dict.fromkeys(always, 0)
    values |= {key.removeprefix(prefix): count for key, count in counters.items() if key.startswith(prefix)}
    family = CounterMetricFamily(f"dispatcher_{name}", text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _histogram(name: str, prefix: str, text: str, counters: Mapping[str, int], exemplars: Exemplars) -> Metric:
    buckets: list[tuple[str, float] | tuple[str, float, Shown]] = []
    running = 0
    for bucket in BUCKET_NAMES:
        running += counters.get(f"{prefix}:le:{bucket}", 0)
        bound = "+Inf" if bucket == "inf" else str(float(bucket))  # OpenMetrics: no "1", but "1.0"
        shown = exemplars.get(f"{prefix}:le:{bucket}")
        buckets.append((bound, running, _shown(shown)) if shown else (bound, running))
    family = HistogramMetricFamily(f"dispatcher_{name}", text)
    family.add_metric([], buckets, sum_value=counters.get(f"{prefix}:sum_us", 0) / 1e6)
    return family


def _shown(exemplar: Exemplar) -> Shown:
    """OpenMetrics alone has them."""
    return Shown({"trace_id": exemplar.trace_id}, exemplar.seconds, exemplar.at_ms / 1000)

"""Metrics of the verdict, which alert rules read. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from dispatcher.model.verdict import ProblemKind, Severity, Tally, Verdict

NO_VERDICT_S = 1e9
"""Age of a verdict that there is not."""


def verdict_families(said: Verdict | None, now_ms: int) -> Iterator[Metric]:
    """Every kind and severity, so that an alert ends with a 0 and not with a series that is gone."""
    problems = GaugeMetricFamily(
        "dispatcher_problems",
        "Problems of the verdict, those that are acknowledged as info.",
        labels=["kind", "severity"],
    )
    counts = {(tally.kind, tally.severity): tally.count for tally in _tallies(said)}
    for kind in ProblemKind:
        for severity in Severity:
            problems.add_metric([kind.value, severity.value], counts.get((kind, severity), 0))
    yield problems
    age_s = max(0, now_ms - said.at_ms) / 1000 if said else NO_VERDICT_S
    yield GaugeMetricFamily("dispatcher_verdict_age_seconds", "Time since anybody judged.", value=age_s)


def _tallies(said: Verdict | None) -> tuple[Tally, ...]:
    return said.counts if said else ()

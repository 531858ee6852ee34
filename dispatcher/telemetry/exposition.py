"""Writes metrics down for Prometheus: its text form, or OpenMetrics for those who ask for it. Knows no metric.

Exemplars are part of OpenMetrics only. No series says when it was created: on an idle server nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

_ASKED = "application/openmetrics-text"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write the same metrics down."""

    content_type: str
    write: Callable[[Collector], bytes]


TEXT = Form(CONTENT_TYPE_PLAIN_0_0_4, generate_latest)
OPENMETRICS = Form(openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest)


def form_for(accept: str) -> Form:
    """OpenMetrics when an ``Accept`` header names it without refusing it (``q=0``); whatever else it says is text."""
    for offer in accept.lower().split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == _ASKED and not any(part in ("q=0", "q=0.0", "q=0.00", "q=0.000") for part in parameters):
            return OPENMETRICS
    return TEXT


def page(metrics: Iterable[Metric], form: Form = TEXT) -> bytes:
    """The page that Prometheus scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(list(metrics)))
    return form.write(registry)


class _Snapshot(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics

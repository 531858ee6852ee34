"""Answers of the metrics API as pydantic models, for the OpenAPI document. No behaviour."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dispatcher.api.rest.models import Wire

At = Annotated[str, Field(description="ISO 8601, UTC")]
Seconds = Annotated[float | None, Field(description="Seconds; null where nothing was measured")]


class WindowOut(Wire):
    """The stretch of time that an answer covers: whole steps, from the first one's begin to the last one's end."""

    since: At = Field(alias="from")
    until: At = Field(alias="to")
    step_seconds: int


class SeriesOut(WindowOut):
    """One number for each step, the first one's begin being ``from``; and the sum of all steps."""

    integration_id: str | None
    series: dict[str, list[int]]
    totals: dict[str, int]


class PercentilesOut(Wire):
    """Of each step, and of all steps together."""

    p50: list[Seconds]
    p90: list[Seconds]
    p99: list[Seconds]
    count: list[int]


class PercentileOut(Wire):
    """Of a whole window."""

    p50: Seconds
    p90: Seconds
    p99: Seconds
    count: int


class PercentileSeriesOut(WindowOut):
    """``latency``: from accepting to sending the first attempt; ``attemptTime``: of an attempt."""

    integration_id: str | None
    measures: dict[str, PercentilesOut]
    totals: dict[str, PercentileOut]


class IntegrationFiguresOut(Wire):
    """Figures of one integration over the window; ``name`` null: it was deleted."""

    integration_id: str
    name: str | None
    delivered: int
    failed: int
    attempts: int
    failures: int
    token_failures: int
    latency: PercentileOut
    attempt_time: PercentileOut


class IntegrationsFiguresOut(WindowOut):
    """``leftOut``: integrations with attempts that are not among ``data``."""

    data: list[IntegrationFiguresOut]
    left_out: int

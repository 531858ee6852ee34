"""Bulk jobs as pydantic models: they check requests and make the OpenAPI document. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dispatcher.api.rest.events.asked.models import FilterGiven
from dispatcher.api.rest.models import Wire

MOST_PER_S = 10_000.0

Action = Literal["redeliver", "deliver-now", "resolve"]
Rate = Annotated[float, Field(ge=0.01, le=MOST_PER_S)]


class RedeliveriesIn(Wire):
    """``filter`` has to be there: ``{}`` is every failed event, and nobody should ask for that by leaving it out.

    As a text it is the grammar of docs/filters.md.

    ``rate``: events a second; without it as fast as the integrations' own limits allow.
    """

    filter: FilterGiven
    action: Action = "redeliver"
    dry_run: bool = False
    rate: Rate | None = None


class IntegrationShareOut(Wire):
    integration_id: str
    matched: int
    rate_per_second: float | None


class RedeliveryPreviewOut(Wire):
    """A dry run. ``exact`` false: there are more. ``seconds`` and ``endsAt`` null: no rate bounds it."""

    id: None
    matched: int
    exact: bool
    action: Action
    by_status: dict[str, int]
    by_integration: list[IntegrationShareOut]
    seconds: float | None
    ends_at: str | None


class RedeliveryStartedOut(Wire):
    """``id`` null: nothing within reach can meet the filter. ``exact`` false: there are more."""

    id: str | None
    matched: int
    exact: bool


class RedeliveryOut(Wire):
    """``done``, ``skipped`` and ``failed`` add up to what was handled; ``total`` is exact once all were found."""

    id: str
    state: Literal["RUNNING", "DONE", "FAILED", "CANCELLED"]
    action: Action
    filter: dict[str, Any]
    author: str
    rate: float | None
    total: int
    done: int
    skipped: int
    failed: int
    started_at: str
    ended_at: str | None


class RedeliveryPageOut(Wire):
    data: list[RedeliveryOut]
    next_cursor: str | None


class RedeliveryItemOut(Wire):
    """``code``: of the error that the event was skipped or refused with."""

    event_id: str
    outcome: Literal["DONE", "SKIPPED", "FAILED"]
    code: str | None


class RedeliveryItemsOut(Wire):
    data: list[RedeliveryItemOut]
    next_cursor: str | None

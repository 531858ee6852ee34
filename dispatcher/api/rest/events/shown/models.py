"""Events, attempts, explanations and types as REST shows them: pydantic models. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, RootModel

from dispatcher.api.rest.models import Wire


class EventErrorOut(Wire):
    code: str
    message: str | None


class EventOut(Wire):
    """Times are ISO 8601 with milliseconds; ``createdOn`` is ``createdAt`` once more, in epoch milliseconds."""

    id: str
    event_url: str
    type: str
    status: str
    product_id: str | None
    account_id: str | None
    integration_id: str
    subscription_id: str | None
    revision: int | None
    sequence: int
    flag: str | None
    created_on: int
    created_at: str
    attempts: int
    next_attempt_at: str | None
    result_deadline: str | None
    consumed: bool
    successful: bool
    asynchronous: bool
    manually_resolved: bool
    account_identifier: str | None
    error: EventErrorOut | None
    payload: dict[str, Any] | None
    payload_expunged: bool
    """Its content was forgotten on request: payload and creator are null, and what hosts said is gone."""
    creator: dict[str, Any] | None


class EventPageOut(Wire):
    data: list[EventOut]
    next_cursor: str | None
    searched_to: str | None = None
    """The search ended before the page was full, and came down to events accepted then; ``nextCursor`` goes on."""


class EventCountOut(Wire):
    """``exact`` false: at least so many, counted down to events accepted at ``searchedTo``."""

    matched: int
    exact: bool
    searched_to: str | None = None


class PhasesOut(Wire):
    """Milliseconds; what is left of ``durationMs`` is the dispatcher's own. A kept connection needs no connecting."""

    token_ms: float
    lookup_ms: float
    connect_ms: float
    wait_ms: float
    read_ms: float


class AttemptOut(Wire):
    """``phases`` null: no answer came. ``responseHeaders``: of an attempt that went wrong, those that may tell why."""

    n: int
    started_at: str
    duration_ms: float
    url: str
    http_status: int | None
    outcome: str
    error_code: str | None
    error_detail: str | None
    response_body: str | None
    token_fetched: bool
    resent: bool
    worker: str
    phases: PhasesOut | None
    response_headers: dict[str, str] | None


class AttemptsOut(RootModel[list[AttemptOut]]):
    """First one first."""


class ExplanationOut(Wire):
    """``cause``: why the event waits that ``blockedBy`` names."""

    status: str
    reason: str
    text: str
    until: str | None = None
    blocked_by: str | None = None
    cause: ExplanationOut | None = None


class ForwardedOut(EventOut):
    """``explanation``: what it waits for now, if anything."""

    explanation: ExplanationOut


class EventTypeSummaryOut(Wire):
    """``version`` is that of the payload's schema."""

    type: str
    alias: str | None
    version: str
    description: str
    url_field: str
    emittable: bool


class EventTypeOut(EventTypeSummaryOut):
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    sample: dict[str, Any]


class EventTypesOut(Wire):
    data: list[EventTypeSummaryOut]

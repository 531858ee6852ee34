"""Requests and answers of REST as pydantic models: they check requests and make the OpenAPI document. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    StrictBool,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypeAliasType

from dispatcher.api.http.query import MAX_EPOCH_MS
from dispatcher.model.access import ADMIN_SCOPES
from dispatcher.model.event_type import EventType, emittable_names
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.scanning import MAX_CHARS

NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
_TIME = r"^(\d{1,15}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROL)]


TypeName = Annotated[Name, WithJsonSchema({"enum": emittable_names()})]
AnyTypeName = TypeAliasType(
    "AnyTypeName", Annotated[Name, WithJsonSchema({"enum": sorted(kind.value for kind in EventType)})]
)
StatusName = TypeAliasType("StatusName", Annotated[Name, WithJsonSchema({"enum": sorted(Status)})])
"""With a name in the document: generators make one type of it, alone and in lists."""
ScopeName = Annotated[Name, WithJsonSchema({"enum": sorted(ADMIN_SCOPES)})]
EpochMs = Annotated[int, Field(ge=0, le=MAX_EPOCH_MS)]
Moment = Annotated[Name, WithJsonSchema({"type": "string", "pattern": _TIME, "description": "ISO 8601 or epoch ms"})]
"""Checked by the handlers, whose messages say more; the document says what they take."""


class Wire(BaseModel):
    """camelCase outside, snake_case inside; nothing unknown, nothing converted."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,  # a start has no time for two hundred validators
    )


class EventIn(Wire):
    """One event to accept. Without ``accountId`` nothing orders it."""

    type: TypeName
    product_id: Name
    account_id: Name | None = None
    payload: dict[str, Any] | None = None
    creator: dict[str, Any] | None = None
    flag: Literal["DEVELOPMENT"] | None = None
    subscription_id: Name | None = None


class FilterIn(Wire):
    """Conditions of a bulk job; all given ones must hold. Times as ISO 8601 or epoch milliseconds."""

    status: StatusName | list[StatusName] | None = None
    type: AnyTypeName | list[AnyTypeName] | None = None
    product_id: Name | None = None
    account_id: Name | None = None
    integration_id: Name | None = None
    since: Moment | EpochMs | None = Field(default=None, alias="from")
    until: Moment | EpochMs | None = Field(default=None, alias="to")
    q: Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_CHARS})] | None = None
    """A filter as a text, which holds beside the others: docs/filters.md."""


def _text_or_fields(value: Any, as_fields: ValidatorFunctionWrapHandler) -> Any:
    return FilterIn(q=value) if isinstance(value, str) else as_fields(value)


def _allow_text(schema: dict[str, Any]) -> None:
    fields = {"$ref": schema.pop("$ref")}
    schema["anyOf"] = [fields, {"type": "string", "maxLength": MAX_CHARS, "description": "docs/filters.md"}]


FilterGiven = Annotated[FilterIn, WrapValidator(_text_or_fields), Field(json_schema_extra=_allow_text)]
"""Fields, or a text."""


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Success = Annotated[
    StrictBool, BeforeValidator(_truth), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}]})
]
"""Hosts write it either way."""


class ResultIn(BaseModel):
    """A product host's report about an event that it answered with 202."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)

    success: Success
    error_code: Name | None = None
    message: Annotated[str, StringConstraints(max_length=4096)] | None = None
    account_identifier: Name | None = None


class ProblemOut(Wire):
    code: str
    message: str
    field: str | None
    blocked_by: str | None = None
    """Of ``behind_event`` only."""
    position: int | None = None
    length: int | None = None
    """Of ``invalid_filter`` only: the characters that are wrong, the first of a text is 1."""


class ErrorsOut(Wire):
    errors: list[ProblemOut]
    request_id: str


class AcceptedOut(Wire):
    id: str
    event_url: str
    status: Literal["QUEUED"]


class BatchItemOut(Wire):
    index: int
    status: int
    id: str | None = None
    errors: list[ProblemOut] | None = None


class BatchOut(Wire):
    results: list[BatchItemOut]


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


class PauseIn(Wire):
    """All of it may be left out. ``for`` as in ``2h``; a pause without an end lasts until somebody resumes it."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROL)] | None = None
    lasting: Annotated[Name | None, Field(alias="for")] = None
    until: Moment | EpochMs | None = None


class PauseOut(Wire):
    """``until`` null: it ends when somebody resumes the integration."""

    by: str | None
    reason: str | None
    until: str | None


class LaneOut(Wire):
    integration_id: str
    paused: bool
    pause: PauseOut | None


class TypePauseOut(Wire):
    type: str
    paused: bool
    pause: PauseOut | None


class PausedLanesOut(Wire):
    paused: int = Field(description="Integrations that are held back")
    pause: PauseOut


class ResumedLanesOut(Wire):
    resumed: int = Field(description="Integrations that were paused and go on")


class WebhookKeyOut(BaseModel):
    """A public ed25519 key (RFC 8037); ``kid`` is its thumbprint (RFC 7638)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class WebhookKeysOut(BaseModel):
    keys: list[WebhookKeyOut]


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


class PlannedAttemptOut(Wire):
    n: int
    at_seconds: float
    earliest_seconds: float
    latest_seconds: float


class RetryPreviewOut(Wire):
    attempts: list[PlannedAttemptOut]

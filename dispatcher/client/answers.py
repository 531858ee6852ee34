"""The JSON that the API answers, as types. Fields that a newer server adds pass through."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from dispatcher.model.payload import Payload


class NewEvent(TypedDict):
    """An event to emit. ``type``: short or full name."""

    type: str
    productId: str
    accountId: NotRequired[str | None]
    subscriptionId: NotRequired[str | None]
    flag: NotRequired[str | None]
    payload: NotRequired[Payload | dict[str, Any] | None]
    creator: NotRequired[dict[str, Any] | None]


class AcceptedJson(TypedDict):
    """``replayed``: an event of the same key had been accepted before, and this is that one."""

    id: str
    eventUrl: str
    status: str
    replayed: bool


class EventErrorJson(TypedDict):
    code: str
    message: str | None


class EventJson(TypedDict):
    """Times are ISO 8601; ``createdOn`` is ``createdAt`` in epoch milliseconds. ``revision`` None = WORKING."""

    id: str
    eventUrl: str
    type: str
    status: str
    productId: str | None
    accountId: str | None
    integrationId: str
    subscriptionId: str | None
    revision: int | None
    sequence: int
    flag: str | None
    createdOn: int
    createdAt: str
    attempts: int
    nextAttemptAt: str | None
    resultDeadline: str | None
    consumed: bool
    successful: bool
    asynchronous: bool
    manuallyResolved: bool
    accountIdentifier: str | None
    error: EventErrorJson | None
    payload: dict[str, Any] | None
    payloadExpunged: bool
    creator: dict[str, Any] | None


class ForwardedJson(EventJson):
    """An event whose next attempt is due now; ``explanation`` = what it waits for, if anything."""

    explanation: ExplanationJson


class CountJson(TypedDict):
    """``exact`` False = a search that ended early, at ``searchedTo``."""

    matched: int
    exact: bool
    searchedTo: NotRequired[str]


class AttemptJson(TypedDict):
    n: int
    startedAt: str
    durationMs: float
    url: str
    httpStatus: int | None
    outcome: str
    errorCode: str | None
    errorDetail: str | None
    responseBody: str | None
    tokenFetched: bool
    resent: bool
    worker: str
    phases: dict[str, float] | None
    responseHeaders: dict[str, str] | None


class ExplanationJson(TypedDict):
    status: str
    reason: str
    text: str
    until: NotRequired[str]
    blockedBy: NotRequired[str]
    cause: NotRequired[ExplanationJson]


class ChangeJson(TypedDict):
    """One status change, as the stream tells it. ``attempts``: made so far, as of events; ``attempt`` is the same."""

    eventId: str
    status: str
    type: str
    integrationId: str
    accountId: str | None
    at: str
    attempts: int
    attempt: int
    httpStatus: int | None


class ActionJson(TypedDict):
    """``command`` runs as it is; ``advice`` stands in its place where no command does it."""

    name: str
    command: NotRequired[str]
    advice: NotRequired[str]
    method: NotRequired[str]
    path: NotRequired[str]
    body: NotRequired[dict[str, str]]


class AcknowledgementJson(TypedDict):
    by: str
    at: str


class ProblemJson(TypedDict):
    id: str
    kind: str
    severity: str
    text: str
    since: str
    integrationId: NotRequired[str]
    waiting: NotRequired[int]
    actions: list[ActionJson]
    acknowledged: NotRequired[AcknowledgementJson]


class StatusJson(TypedDict):
    """The verdict. ``more``: problems beyond those that are listed."""

    ok: bool
    text: str
    at: str
    problems: list[ProblemJson]
    more: int


class RedeliveryStartedJson(TypedDict):
    """``id`` None = nothing within reach can meet the filter."""

    id: str | None
    matched: int
    exact: bool


class IntegrationShareJson(TypedDict):
    integrationId: str
    matched: int
    ratePerSecond: float | None


class RedeliveryPreviewJson(TypedDict):
    """A dry run. ``exact`` False = there are more. ``seconds`` and ``endsAt`` None = no rate bounds it."""

    id: None
    matched: int
    exact: bool
    action: str
    byStatus: dict[str, int]
    byIntegration: list[IntegrationShareJson]
    seconds: float | None
    endsAt: str | None


class RedeliveryJson(TypedDict):
    id: str
    state: str
    action: str
    filter: dict[str, Any]
    author: str
    rate: float | None
    total: int
    done: int
    skipped: int
    failed: int
    startedAt: str
    endedAt: str | None


class JobItemJson(TypedDict):
    """``outcome`` DONE, SKIPPED or FAILED; ``code`` of the error in the latter two."""

    eventId: str
    outcome: str
    code: str | None


class PauseJson(TypedDict):
    by: str | None
    reason: str | None
    until: str | None


class LaneJson(TypedDict):
    integrationId: str
    paused: bool
    pause: PauseJson | None


class PausedLanesJson(TypedDict):
    """``paused``: integrations that are held back."""

    paused: int
    pause: PauseJson


class ResumptionJson(TypedDict):
    """``matched``: integrations that are paused; ``waiting``: events there; ``resumed`` 0 = nothing was done."""

    resumed: int
    matched: int
    waiting: int


class TypePauseJson(TypedDict):
    type: str
    paused: bool
    pause: PauseJson | None


class SuspendedUrlJson(TypedDict):
    """``eventType`` None = no type goes there any more."""

    eventType: str | None
    url: str
    since: str
    published: bool


class EnabledUrlJson(TypedDict):
    """``released`` = parked events that go on; not ``wasSuspended`` = nothing was, and nothing has changed."""

    integrationId: str
    eventType: str
    wasSuspended: bool
    released: int

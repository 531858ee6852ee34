"""A ping test: what was tried at which URL, step by step, and how it went. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from dispatcher.model.connector import RemoteAccount
from dispatcher.model.event_type import EventType

OVERDUE = "No worker reported the outcome in time: check that a worker runs (`dispatcher worker`), then ping again."


class PingVersion(StrEnum):
    """The version of an integration that is tested."""

    WORKING = "WORKING"
    PUBLISHED = "PUBLISHED"


class PingStatus(StrEnum):
    """The status of a whole test or of one of its results."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_CONFIGURED = "NOT_CONFIGURED"


class PingTrigger(StrEnum):
    """The asker of a test: a caller, or the schedule of the integration."""

    REQUEST = "REQUEST"
    SCHEDULE = "SCHEDULE"


class StepName(StrEnum):
    """The steps of a notification, in this order."""

    DNS = "DNS"
    ADDRESS = "ADDRESS"
    CONNECT = "CONNECT"
    TLS = "TLS"
    TOKEN = "TOKEN"  # noqa: S105 - the name of a step
    POST = "POST"
    ANSWER = "ANSWER"


class CheckName(StrEnum):
    """Requests that a host must not take for a genuine, new notification."""

    FORGED_SIGNATURE = "FORGED_SIGNATURE"
    STALE_TIMESTAMP = "STALE_TIMESTAMP"
    MISSING_TOKEN = "MISSING_TOKEN"  # noqa: S105 - the name of a check
    REPLAYED_ID = "REPLAYED_ID"


@dataclass(frozen=True, slots=True)
class PingStep:
    """``ok`` None: not reached, or does not apply. ``remedy`` says what to do about it."""

    name: StepName
    ok: bool | None = None
    duration_ms: float | None = None
    text: str = "not reached"
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class PingResult:
    """One request. ``success``: whether the host took it; a well-formed refusal is False, yet the ping passed."""

    event_type: EventType
    status: PingStatus = PingStatus.PENDING
    url: str | None = None
    success: bool | None = None
    http_status: int | None = None
    error_code: str | None = None
    message: str | None = None
    duration_ms: float | None = None
    tested_ms: int | None = None
    steps: tuple[PingStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityCheck:
    """FAILED: the host took what it should have refused, or nothing can be said; ``text`` tells which."""

    name: CheckName
    event_type: EventType
    url: str
    status: PingStatus
    text: str
    remedy: str | None = None
    http_status: int | None = None
    duration_ms: float | None = None
    tested_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PingTest:
    """``revision`` 0 = WORKING. Times are epoch milliseconds; ``deadline_ms`` 0 = none."""

    id: str
    version: PingVersion
    status: PingStatus
    started_ms: int
    revision: int = 0
    completed_ms: int | None = None
    results: tuple[PingResult, ...] = ()
    deadline_ms: int = 0
    security: bool = False
    """True when the security checks were asked for."""
    security_checks: tuple[SecurityCheck, ...] = ()
    trigger: PingTrigger = PingTrigger.REQUEST


def concluded(test: PingTest, now_ms: int) -> PingTest:
    """``test`` as its results say: PASSED when something was tried and nothing failed."""
    statuses = {one.status for one in test.results} | {one.status for one in test.security_checks}
    passed = PingStatus.PASSED in statuses and PingStatus.FAILED not in statuses
    return replace(test, status=PingStatus.PASSED if passed else PingStatus.FAILED, completed_ms=now_ms)


def as_of(test: PingTest, now_ms: int) -> PingTest:
    """``test``, FAILED if it still runs past its deadline: its worker was lost, or there was none."""
    if test.status is not PingStatus.RUNNING or not 0 < test.deadline_ms < now_ms:
        return test
    return given_up(test, test.deadline_ms)


def given_up(test: PingTest, now_ms: int, message: str = OVERDUE) -> PingTest:
    """``test`` with everything FAILED that has no outcome."""
    results = tuple(
        replace(one, status=PingStatus.FAILED, message=message) if one.status is PingStatus.PENDING else one
        for one in test.results
    )
    return replace(test, status=PingStatus.FAILED, completed_ms=now_ms, results=results)


@dataclass(frozen=True, slots=True)
class CredentialsTried:
    """The outcome of trying credentials out."""

    success: bool
    error_code: str | None = None
    message: str | None = None
    duration_ms: float | None = None
    sealed_grant: str | None = None
    """Tokens that were got, where they are what was asked for."""
    account: RemoteAccount | None = None
    """The account that they are of, where the other side said so."""

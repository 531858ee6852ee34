"""A ping test: what was tried at which URL, and how it went. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.event_type import EventType


class PingVersion(StrEnum):
    """Which version of an integration is tested."""

    WORKING = "WORKING"
    PUBLISHED = "PUBLISHED"


class PingStatus(StrEnum):
    """How a whole test or one of its results stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_CONFIGURED = "NOT_CONFIGURED"


@dataclass(frozen=True, slots=True)
class PingResult:
    """One request. ``success`` is what the host said of itself, if it said anything."""

    event_type: EventType
    status: PingStatus = PingStatus.PENDING
    url: str | None = None
    success: bool | None = None
    http_status: int | None = None
    error_code: str | None = None
    message: str | None = None
    duration_ms: float | None = None
    tested_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PingTest:
    """``revision`` 0 = WORKING. Times are epoch milliseconds."""

    id: str
    version: PingVersion
    status: PingStatus
    started_ms: int
    revision: int = 0
    completed_ms: int | None = None
    results: tuple[PingResult, ...] = ()

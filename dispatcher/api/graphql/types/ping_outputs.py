"""Ping tests as queries return them. A test whose worker was lost shows as failed."""

from __future__ import annotations

import strawberry

from dispatcher.clock import iso_ms
from dispatcher.model import ping
from dispatcher.model.event_type import EventType


@strawberry.type(name="ProductIntegrationTestStep")
class TestStep:
    """One step on the way to an answer. ``ok`` null: not reached, or does not apply."""

    name: ping.StepName
    ok: bool | None
    duration_ms: float | None
    text: str
    remedy: str | None

    @classmethod
    def of(cls, step: ping.PingStep) -> TestStep:
        return cls(name=step.name, ok=step.ok, duration_ms=step.duration_ms, text=step.text, remedy=step.remedy)


@strawberry.type(name="ProductIntegrationTestResult")
class IntegrationTestResult:
    event_type: EventType
    url: str | None
    status: ping.PingStatus
    success: bool | None
    http_status: int | None
    error_code: str | None
    message: str | None
    duration_ms: float | None
    tested_on: str | None
    steps: list[TestStep]

    @classmethod
    def of(cls, result: ping.PingResult) -> IntegrationTestResult:
        return cls(
            event_type=result.event_type,
            url=result.url,
            status=result.status,
            success=result.success,
            http_status=result.http_status,
            error_code=result.error_code,
            message=result.message,
            duration_ms=result.duration_ms,
            tested_on=moment(result.tested_ms),
            steps=[TestStep.of(one) for one in result.steps],
        )


@strawberry.type(name="ProductIntegrationSecurityCheck")
class SecurityCheck:
    """The host's answer to something that it has to refuse."""

    name: ping.CheckName
    event_type: EventType
    url: str
    status: ping.PingStatus
    text: str
    remedy: str | None
    http_status: int | None
    duration_ms: float | None
    tested_on: str | None

    @classmethod
    def of(cls, check: ping.SecurityCheck) -> SecurityCheck:
        return cls(
            name=check.name,
            event_type=check.event_type,
            url=check.url,
            status=check.status,
            text=check.text,
            remedy=check.remedy,
            http_status=check.http_status,
            duration_ms=check.duration_ms,
            tested_on=moment(check.tested_ms),
        )


@strawberry.type(name="ProductIntegrationTest")
class IntegrationTest:
    id: strawberry.ID
    version: ping.PingVersion
    status: ping.PingStatus
    trigger: ping.PingTrigger
    started_on: str
    completed_on: str | None
    results: list[IntegrationTestResult]
    security_checks: list[SecurityCheck]

    @classmethod
    def of(cls, stored: ping.PingTest, now_ms: int) -> IntegrationTest:
        """``stored`` as it stands at ``now_ms``."""
        test = ping.as_of(stored, now_ms)
        return cls(
            id=strawberry.ID(test.id),
            version=test.version,
            status=test.status,
            trigger=test.trigger,
            started_on=iso_ms(test.started_ms),
            completed_on=moment(test.completed_ms),
            results=[IntegrationTestResult.of(one) for one in test.results],
            security_checks=[SecurityCheck.of(one) for one in test.security_checks],
        )


def moment(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else iso_ms(epoch_ms)

"""Ping tests of an integration: asked for, followed step by step, and how the last 90 days went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.services import PING_STARTER
from dispatcher.clock import DAY_MS, iso_ms
from dispatcher.console.frame.screen import redirect
from dispatcher.console.integrations.subject import Subject
from dispatcher.errors import InvalidRequest, NotFound, RequestError
from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.model.ping import PingStatus, PingTest, PingVersion, as_of

DAYS = 90
SHOWN = 20
LOOKS = {
    PingStatus.PASSED: "ok",
    PingStatus.FAILED: "bad",
    PingStatus.RUNNING: "run",
    PingStatus.PENDING: "run",
    PingStatus.NOT_CONFIGURED: "off",
}
WORDS = {
    PingStatus.PASSED: "passed",
    PingStatus.FAILED: "failed",
    PingStatus.RUNNING: "under way",
    PingStatus.PENDING: "under way",
    PingStatus.NOT_CONFIGURED: "no URL",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of the strip."""

    date: str
    passed: int
    failed: int

    @property
    def look(self) -> str:
        if not self.passed + self.failed:
            return "off"
        return "ok" if not self.failed else "bad" if not self.passed else "warn"

    @property
    def words(self) -> str:
        tests = self.passed + self.failed
        return f"{self.date}: {self.passed} of {tests} passed" if tests else f"{self.date}: no test"


async def show_pings(request: web.Request, subject: Subject) -> web.StreamResponse:
    return await _page(request, subject)


async def ping(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """303 to the test that was begun; the list again when there is nothing to test."""
    viewer, integration = subject.viewer, subject.integration
    options = PingOptions("security" in fields, timeout_s=viewer.services.deployment.request_timeout_s)
    try:
        version = _version(fields, subject)
        async with noted(request, "triggerProductIntegrationPingTest", "integration", integration.id):
            asked = await request_ping(
                subject.definitions,
                request.app[PING_STARTER],
                integration.id,
                version,
                None,
                viewer.now_ms,
                options,
            )
    except RequestError as error:
        return await _page(request, subject, str(error), error.status)
    return redirect(f"{subject.path}/pings/{asked.test.id}")


async def show_ping(request: web.Request, subject: Subject) -> web.StreamResponse:
    """Line by line; it loads itself anew while the test is under way."""
    found = await subject.definitions.pings.find(subject.integration.id, request.match_info["testId"])
    if found is None:
        raise NotFound.of("not_found", "There is no such test; the last 50 of an integration are kept.")
    test = as_of(found, subject.viewer.now_ms)
    running = test.status is PingStatus.RUNNING
    return subject.page(request, "/ping", test=test, running=running, looks=LOOKS, words=WORDS)


async def _page(request: web.Request, subject: Subject, wrong: str = "", status: int = 200) -> web.Response:
    refuse_unheeded(request, {"said": False})
    now_ms = subject.viewer.now_ms
    tests = [as_of(one, now_ms) for one in await subject.definitions.pings.history(subject.integration.id)]
    days = days_of(await subject.definitions.pings.days(subject.integration.id), now_ms)
    tried, passed = sum(day.passed + day.failed for day in days), sum(day.passed for day in days)
    share = passed / tried if tried else None
    frame = {"tests": tests[:SHOWN], "days": days, "tried": tried, "share": share, "looks": LOOKS, "words": WORDS}
    return subject.page(request, "/pings", status, wrong=wrong, last=_last(tests), **frame)


def days_of(tallies: dict[int, tuple[int, int]], now_ms: int) -> list[Day]:
    """The last 90 days, the oldest first. ``tallies``: passed and failed by days since 1970."""
    today = now_ms // DAY_MS
    return [Day(iso_ms(day * DAY_MS)[:10], *tallies.get(day, (0, 0))) for day in range(today - DAYS + 1, today + 1)]


def _last(tests: Sequence[PingTest]) -> PingTest | None:
    """The newest that has ended."""
    return next((one for one in tests if one.status is not PingStatus.RUNNING), None)


def _version(fields: dict[str, str], subject: Subject) -> PingVersion:
    published = subject.integration.published_revision is not None
    try:
        return PingVersion(fields.get("version") or ("PUBLISHED" if published else "WORKING"))
    except ValueError:
        raise InvalidRequest.of("invalid_value", "Choose WORKING or PUBLISHED.", "version") from None

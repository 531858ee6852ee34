"""An integration's deliveries in one or two sentences: what is wrong, since when, and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from markupsafe import Markup

from dispatcher.flow.events.reading.figures import Asked
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import FAILURES, TERMINAL, Status
from dispatcher.pages.moments import moment
from dispatcher.policy.figures.history import total
from dispatcher.policy.figures.tally import COUNTS
from dispatcher.portal.developer import HOME, Developer

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Standing:
    """``link``: where the one action is that mends it, and its label."""

    look: str
    title: Markup
    text: Markup | None
    link: tuple[str, Markup] | None
    failed: int
    open: int
    delivered: int
    attempts: int


@dataclass(frozen=True, slots=True)
class _Facts:
    failed: int
    retrying: int
    open: int
    delivered: int
    attempts: int
    suspended: dict[str, int]
    token_failing_ms: int | None


async def standing_of(developer: Developer) -> Standing:
    facts = await _facts(developer)
    look, title, text, link = _verdict(facts, developer)
    return Standing(look, title, text, link, facts.failed, facts.open, facts.delivered, facts.attempts)


async def _facts(developer: Developer) -> _Facts:
    services, integration_id, now_ms = developer.services, developer.integration.id, developer.now_ms
    reads = services.reads

    def of(statuses: frozenset[Status]) -> EventFilter:
        return EventFilter(integration_id=integration_id, statuses=statuses)

    failed, retrying, open_, suspended, token, past = await asyncio.gather(
        reads.count(of(FAILURES)),
        reads.count(of(frozenset({Status.RETRYING}))),
        reads.count(of(frozenset(Status) - TERMINAL)),
        reads.suspended_urls(integration_id),
        reads.credentials_failing_since(integration_id),
        services.past.steps(Asked(now_ms - DAY_MS, now_ms, None), developer.caller, integration_id, now_ms),
    )
    figures = dict(zip(COUNTS, total(past.figures), strict=False))
    return _Facts(
        failed.matched,
        retrying.matched,
        open_.matched,
        figures["delivered"],
        figures["attempts"],
        suspended,
        token,
    )


def _verdict(facts: _Facts, developer: Developer) -> tuple[str, Markup, Markup | None, tuple[str, Markup] | None]:
    """The worst of it first."""
    t, now_ms = developer.t, developer.now_ms
    if facts.suspended:
        url, since_ms = min(facts.suspended.items(), key=lambda one: one[1])
        title = t("portal.verdict.suspended", url=url, when=moment(since_ms, now_ms, t))
        return "bad", title, t("portal.verdict.suspended_text"), None
    if facts.token_failing_ms is not None:
        title = t("portal.verdict.token", when=moment(facts.token_failing_ms, now_ms, t))
        return "bad", title, t("portal.verdict.token_text"), (f"{HOME}/pings", t("portal.pings.title"))
    if facts.failed:
        link = (f"{HOME}?show=failed", t("portal.verdict.failed_link"))
        return "bad", t("portal.verdict.failed", n=facts.failed), t("portal.verdict.failed_text"), link
    if facts.retrying:
        link = (f"{HOME}?show=open", t("portal.verdict.open_link"))
        return "warn", t("portal.verdict.retrying", n=facts.retrying), t("portal.verdict.retrying_text"), link
    if facts.open:
        return "run", t("portal.verdict.open", n=facts.open), t("portal.verdict.well_text", n=facts.delivered), None
    if facts.delivered or facts.attempts:
        return "ok", t("portal.verdict.well"), t("portal.verdict.well_text", n=facts.delivered), None
    return "ok", t("portal.verdict.quiet"), t("portal.verdict.quiet_text"), (f"{HOME}/pings", t("portal.pings.send"))

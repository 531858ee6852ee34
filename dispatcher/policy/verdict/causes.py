"""Joins findings of one cause: when many hosts fail in the same way at once, it is not the hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from dispatcher.model.verdict import Finding, Severity
from dispatcher.policy.verdict import actions
from dispatcher.policy.verdict.vendors import counted
from dispatcher.policy.verdict.words import moment, wait

JOINED_FROM = 5
WITHIN_MS = 60_000
MOST_PARTS = 200


def joined(findings: Iterable[Finding], now_ms: int) -> list[Finding]:
    """Five or more integrations of one kind and cause that began within a minute are one finding."""
    alone: list[Finding] = []
    by_cause: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.cause and finding.integration_id:
            by_cause[finding.kind, finding.cause].append(finding)
        else:
            alone.append(finding)
    for several in by_cause.values():
        crowd = _crowd(sorted(several, key=lambda one: (one.since_ms, one.id)))
        alone += [one for one in several if one not in crowd]
        if crowd:
            alone.append(_one_of(crowd, now_ms))
    return alone


def _crowd(several: list[Finding]) -> list[Finding]:
    """The most that began within one minute, oldest first; empty = too few."""
    best: list[Finding] = []
    first = 0
    for last, finding in enumerate(several):
        while finding.since_ms - several[first].since_ms > WITHIN_MS:
            first += 1
        if last - first + 1 > len(best):
            best = several[first : last + 1]
    return best if len(best) >= JOINED_FROM else []


def _one_of(crowd: list[Finding], now_ms: int) -> Finding:
    oldest, waiting = crowd[0], sum(one.waiting or 0 for one in crowd)
    waits = f"; {wait(waiting)}, none is lost" if waiting else ""
    since = moment(oldest.since_ms, now_ms)
    text = f"{len(crowd)} integrations {oldest.cause} since {since}: look at this side's network{waits}."
    return replace(
        oldest,
        severity=Severity.PAGE,
        text=text,
        integration_id=None,
        vendor_id=None,
        waiting=waiting,
        actions=(actions.DOCTOR, actions.RUNBOOK),
        topic=oldest.cause.replace(" ", "-"),
        parts=tuple(crowd[:MOST_PARTS]),
        unlisted=counted(crowd[MOST_PARTS:]),
    )

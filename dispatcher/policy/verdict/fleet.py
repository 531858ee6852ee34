"""Rules about the whole deployment: workers, store, accepting, and events that do not move."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.troubles import Snapshot
from dispatcher.model.verdict import Finding, ProblemKind, Severity
from dispatcher.policy.verdict import actions
from dispatcher.policy.verdict.words import moment, number, span, wait

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
AWAY_MS = 5_000
SILENT_MS = 10_000
PRESSURE_RATIO = 0.75
FULL_SOON_MS = 24 * HOUR_MS
FAILED_EMITS, FAILED_SHARE = 5, 0.01
OVERDUE_ACT_MS, OVERDUE_PAGE_MS = MINUTE_MS, 5 * MINUTE_MS
GROWING_MS = 10 * MINUTE_MS
BEHIND_ACT_MS, BEHIND_PAGE_MS = 15 * MINUTE_MS, HOUR_MS

Findings = Iterator[Finding]


def store_away(seen: Snapshot) -> Findings:
    since_ms = seen.store.away_since_ms
    if since_ms is not None and seen.at_ms - since_ms >= AWAY_MS:
        yield store_is_away(since_ms, seen.at_ms)


def store_is_away(since_ms: int, now_ms: int) -> Finding:
    text = f"Redis takes no writes since {moment(since_ms, now_ms)}: nothing is accepted or delivered."
    return Finding(ProblemKind.STORE_AWAY, Severity.PAGE, text, since_ms, actions=(actions.DOCTOR,))


def no_worker(seen: Snapshot) -> Findings:
    workers = seen.workers
    if workers.silent_since_ms is None or seen.at_ms - workers.silent_since_ms < SILENT_MS:
        return
    since = moment(workers.silent_since_ms, seen.at_ms)
    if workers.waiting == 0:
        severity, text = Severity.INFO, f"No worker since {since}; nothing waits."
    elif workers.alive:
        severity = Severity.PAGE
        owned = number(workers.partitions, "partition has", "partitions have")
        text = f"{owned} no worker since {since}; {wait(workers.waiting)}."
    else:
        severity, text = Severity.PAGE, f"No worker since {since}; {wait(workers.waiting)}."
    yield Finding(
        ProblemKind.NO_WORKER,
        severity,
        text,
        workers.silent_since_ms,
        waiting=workers.waiting,
        actions=(actions.START_WORKER,),
    )


def data_loss(seen: Snapshot) -> Findings:
    lost_ms = seen.integrity.lost_ms
    if lost_ms is not None:
        text = f"Redis lost writes, noticed at {moment(lost_ms, seen.at_ms)}: {seen.integrity.lost_text}."
        remedies = (actions.RUNBOOK, actions.AUDIT)
        yield Finding(ProblemKind.DATA_LOSS, Severity.PAGE, text, lost_ms, actions=remedies)


def audit_broken(seen: Snapshot) -> Findings:
    since_ms, by = seen.integrity.broken_since_ms, seen.integrity.broken_by
    if since_ms is not None:
        counts = "What was accepted is not what ended and what is open"
        text = f"{counts}: {number(abs(by), 'event')} {'missing' if by > 0 else 'too many'}."
        yield Finding(ProblemKind.AUDIT_BROKEN, Severity.PAGE, text, since_ms, actions=(actions.AUDIT, actions.RUNBOOK))


def repaired(seen: Snapshot) -> Findings:
    at_ms = seen.integrity.repaired_ms
    if at_ms is not None and seen.at_ms - at_ms < HOUR_MS:
        places = number(seen.integrity.repairs, "repair")
        text = f"The queue needed {places}, the last at {moment(at_ms, seen.at_ms)}; a healthy store needs none."
        yield Finding(ProblemKind.REPAIRED, Severity.ACT, text, at_ms, actions=(actions.AUDIT, actions.RUNBOOK))


def store_pressure(seen: Snapshot) -> Findings:
    store = seen.store
    soon = store.full_in_ms is not None and store.full_in_ms <= FULL_SOON_MS
    if not (store.refusing or soon or store.memory_ratio >= PRESSURE_RATIO):
        return
    if store.refusing:
        text = f"Redis is {store.memory_ratio:.0%} full: events are refused until there is room."
    elif soon and store.full_in_ms is not None:
        text = f"Redis is full in {span(store.full_in_ms)}; then events are refused."
    else:
        text = f"Redis is {store.memory_ratio:.0%} full; when it is full, events are refused."
    severity = Severity.PAGE if store.refusing else Severity.ACT
    yield Finding(ProblemKind.STORE_PRESSURE, severity, text, store.since_ms or seen.at_ms, actions=(actions.MEMORY,))


def accept_failing(seen: Snapshot) -> Findings:
    failed, emits = seen.flow.emits_failed, seen.flow.emits
    if failed >= FAILED_EMITS and failed >= FAILED_SHARE * emits:
        text = f"{failed / max(1, emits):.0%} of emits failed in the last minute, {failed:,} of {emits:,}."
        since_ms = seen.at_ms - MINUTE_MS
        yield Finding(ProblemKind.ACCEPT_FAILING, Severity.PAGE, text, since_ms, actions=(actions.LOG, actions.DOCTOR))


def overdue(seen: Snapshot) -> Findings:
    """Nothing where there is no worker: that is named by itself."""
    flow, since_ms = seen.flow, seen.flow.overdue_since_ms
    if since_ms is None or seen.at_ms - since_ms < OVERDUE_ACT_MS or any(no_worker(seen)):
        return
    late_ms = seen.at_ms - since_ms
    due = number(flow.overdue, "event is", "events are")
    text = f"{due} due for {late_ms // 1000} s and nobody takes {'it' if flow.overdue == 1 else 'them'}."
    severity = Severity.PAGE if late_ms >= OVERDUE_PAGE_MS else Severity.ACT
    yield Finding(
        ProblemKind.OVERDUE, severity, text, since_ms, waiting=flow.overdue, actions=(actions.WORKERS, actions.DOCTOR)
    )


def backlog(seen: Snapshot) -> Findings:
    flow = seen.flow
    if flow.growing_since_ms is None or seen.at_ms - flow.growing_since_ms < GROWING_MS:
        return
    if flow.drain_ms is not None and flow.drain_ms < BEHIND_ACT_MS:
        return
    behind = f"{span(flow.drain_ms)} behind" if flow.drain_ms is not None else "nothing leaves"
    text = f"Arrives faster than it leaves; {behind}; {wait(flow.backlog)}."
    severe = flow.drain_ms is None or flow.drain_ms >= BEHIND_PAGE_MS
    yield Finding(
        ProblemKind.BACKLOG,
        Severity.PAGE if severe else Severity.ACT,
        text,
        flow.growing_since_ms,
        waiting=flow.backlog,
        actions=(actions.MORE_WORKERS, actions.WORKERS),
    )

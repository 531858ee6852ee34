"""Rules about single integrations: hosts that fail, credentials, suspended URLs, holds."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.troubles import Snapshot, TroubledLane
from dispatcher.model.verdict import Action, Finding, ProblemKind, Severity
from dispatcher.policy.verdict import actions
from dispatcher.policy.verdict.fleet import HOUR_MS, MINUTE_MS
from dispatcher.policy.verdict.words import called, do, does, moment, number, span, wait

MANY_WAITING, LONG_MS, TRAFFIC_SHARE, LEAST_TRAFFIC = 1_000, 30 * MINUTE_MS, 0.25, 100
FAILING_ATTEMPTS, FAILING_SHARE, FAILING_IN_A_ROW = 10, 0.5, 3
TOKEN_FAILURES = 3
PAUSED_LONG_MS, PAUSED_MANY = 24 * HOUR_MS, 10_000
SLOWED_MS = 15 * MINUTE_MS
TOKEN_FAILED = "TOKEN_FAILED"  # noqa: S105 - an outcome
WARNINGS: tuple[tuple[float, Severity], ...] = ((0.9, Severity.ACT), (0.5, Severity.INFO))
"""Shares of the way to being disabled, and how much they matter."""

Findings = Iterator[Finding]


def _finding(
    lane: TroubledLane,
    kind: ProblemKind,
    severity: Severity,
    text: str,
    since_ms: int,
    *remedies: Action,
    waiting: int | None = None,
    cause: str = "",
    topic: str = "",
) -> Finding:
    return Finding(
        kind,
        severity,
        text,
        since_ms,
        lane.integration_id,
        lane.vendor_id,
        lane.waiting if waiting is None else waiting,
        remedies,
        cause,
        topic,
    )


def _name(lane: TroubledLane) -> str:
    return called(lane.name, lane.integration_id)


def _severity(lane: TroubledLane, since_ms: int, seen: Snapshot) -> Severity:
    """Of a host that fails: more once much waits, it lasts, or it is a good part of the traffic."""
    accepted = seen.flow.accepted
    much = accepted >= LEAST_TRAFFIC and lane.waiting >= TRAFFIC_SHARE * accepted
    page = lane.waiting >= MANY_WAITING or seen.at_ms - since_ms >= LONG_MS or much
    return Severity.PAGE if page else Severity.ACT


def _waiting(lane: TroubledLane) -> str:
    if not lane.waiting:
        return "nothing waits"
    accounts = f" of {number(lane.accounts, 'account')}" if lane.accounts else ""
    waits = "waits" if lane.waiting == 1 else "wait"
    return f"{number(lane.waiting, 'event')}{accounts} {waits}, none is lost"


def _held(lane: TroubledLane) -> bool:
    return lane.pause is not None or lane.disabled_ms is not None


def circuit_open(seen: Snapshot) -> Findings:
    for lane in seen.lanes:
        since_ms = lane.circuit_since_ms
        if since_ms is None or _held(lane):
            continue
        left_ms = (lane.next_try_ms or 0) - seen.at_ms
        tries = f"next try in {span(left_ms)}" if left_ms > 0 else "it is being tried now"
        text = f"{_name(lane)} {does(lane.cause)} since {moment(since_ms, seen.at_ms)}; {tries}; {_waiting(lane)}."
        severity = _severity(lane, since_ms, seen)
        remedies = actions.try_now(lane.integration_id), actions.pause(lane.integration_id)
        yield _finding(lane, ProblemKind.CIRCUIT_OPEN, severity, text, since_ms, *remedies, cause=do(lane.cause))


def failing(seen: Snapshot) -> Findings:
    """Circuits open on hosts that cannot be talked to; this is of those that answer, and answer badly."""
    for lane in seen.lanes:
        named = lane.circuit_since_ms is not None or lane.token_failing_since_ms is not None or lane.suspended_urls
        since_ms = lane.failing_since_ms
        if named or _held(lane) or lane.cause.outcome == TOKEN_FAILED:
            continue
        often = lane.attempts >= FAILING_ATTEMPTS and lane.failures >= FAILING_SHARE * lane.attempts
        often = often and not _recovered(lane)
        long = since_ms is not None and seen.at_ms - since_ms >= LONG_MS and lane.failures_in_a_row >= FAILING_IN_A_ROW
        if not (often or long):
            continue
        began_ms = since_ms if since_ms is not None else seen.at_ms - 5 * MINUTE_MS
        share = f"to {_share(lane)}" if often else f"to {number(lane.failures_in_a_row, 'attempt')} in a row"
        text = f"{_name(lane)} {does(lane.cause)} {share} since {moment(began_ms, seen.at_ms)}; {_waiting(lane)}."
        severity = _severity(lane, began_ms, seen)
        remedies = actions.why(lane.integration_id), actions.pause(lane.integration_id)
        yield _finding(lane, ProblemKind.FAILING, severity, text, began_ms, *remedies, cause=do(lane.cause))


def _recovered(lane: TroubledLane) -> bool:
    """True when its last attempt went well, and most of the newest minute: what failed before is over."""
    return not lane.failures_in_a_row and lane.newest_failures < FAILING_SHARE * lane.newest_attempts


def _share(lane: TroubledLane) -> str:
    """``9 of 10``."""
    if lane.failures == lane.attempts:
        return f"all of {lane.attempts}"
    return f"{max(1, min(9, round(10 * lane.failures / lane.attempts)))} of 10"


def credentials_failing(seen: Snapshot) -> Findings:
    for lane in seen.lanes:
        since_ms = lane.token_failing_since_ms
        in_a_row = lane.same_in_a_row if lane.cause.outcome == TOKEN_FAILED else 0
        if since_ms is None or in_a_row < TOKEN_FAILURES or _held(lane):
            continue
        because = f": {lane.cause.words}" if lane.cause.words else ""
        text = f"{_name(lane)} gets no token since {moment(since_ms, seen.at_ms)}{because}; {_waiting(lane)}."
        remedies = actions.try_credentials(lane.integration_id), actions.pause(lane.integration_id)
        kind = ProblemKind.CREDENTIALS_FAILING
        yield _finding(lane, kind, Severity.ACT, text, since_ms, *remedies, cause="get no token")


def url_suspended(seen: Snapshot) -> Findings:
    for lane in seen.lanes:
        since_ms = lane.suspended_since_ms
        if not lane.suspended_urls or since_ms is None:
            continue
        parked = "nothing is parked" if not lane.parked else number(lane.parked, "event is", "events are") + " parked"
        text = f"{_name(lane)} answered 410 at {moment(since_ms, seen.at_ms)}; {parked}."
        enable = f"Enable and send {lane.parked:,}" if lane.parked else "Enable"
        remedy = actions.resume(lane.integration_id, enable)
        kind = ProblemKind.URL_SUSPENDED
        yield _finding(lane, kind, Severity.ACT, text, since_ms, remedy, waiting=lane.parked)


def integration_disabled(seen: Snapshot) -> Findings:
    for lane in seen.lanes:
        found = _disabled(lane, seen) or _nearly_disabled(lane, seen)
        if found is not None:
            yield found


def _disabled(lane: TroubledLane, seen: Snapshot) -> Finding | None:
    if lane.disabled_ms is None:
        return None
    text = f"{_name(lane)} is disabled since {moment(lane.disabled_ms, seen.at_ms)}, every attempt failed before"
    remedy = actions.resume(lane.integration_id, f"Enable and send {lane.waiting:,}" if lane.waiting else "Enable")
    kind = ProblemKind.INTEGRATION_DISABLED
    return _finding(lane, kind, Severity.ACT, f"{text}; {_waiting(lane)}.", lane.disabled_ms, remedy)


def _nearly_disabled(lane: TroubledLane, seen: Snapshot) -> Finding | None:
    since_ms, after_ms = lane.failing_since_ms, seen.disable_after_ms
    if since_ms is None or after_ms is None or _held(lane) or lane.failures_in_a_row < FAILING_IN_A_ROW:
        return None
    gone = (seen.at_ms - since_ms) / after_ms
    severity = next((severity for share, severity in WARNINGS if gone >= share), None)
    if severity is None:
        return None
    left = span(max(0, since_ms + after_ms - seen.at_ms))
    text = (
        f"{_name(lane)} {does(lane.cause)} since {moment(since_ms, seen.at_ms)} and is disabled in {left} unless an"
        " attempt goes well."
    )
    remedies = actions.why(lane.integration_id), actions.pause(lane.integration_id)
    return _finding(lane, ProblemKind.INTEGRATION_DISABLED, severity, text, since_ms, *remedies, topic="soon")


def paused(seen: Snapshot) -> Findings:
    yield from _paused_types(seen)
    for lane in seen.lanes:
        if lane.pause is None or lane.disabled_ms is not None:
            continue
        hold = lane.pause
        by = f" by {hold.by}" if hold.by else ""
        reason = f": {hold.reason}" if hold.reason else ""
        ends = f"ends {moment(hold.until_ms, seen.at_ms)}" if hold.until_ms else "has no end"
        since = moment(hold.since_ms, seen.at_ms)
        waiting = wait(lane.waiting) if lane.waiting else "nothing waits"
        text = f"{_name(lane)} is paused{by} since {since}{reason}; {ends}; {waiting}."
        forgotten = hold.until_ms is None and seen.at_ms - hold.since_ms > PAUSED_LONG_MS
        severity = Severity.ACT if forgotten or lane.waiting >= PAUSED_MANY else Severity.INFO
        remedy = actions.resume(lane.integration_id)
        yield _finding(lane, ProblemKind.PAUSED, severity, text, hold.since_ms, remedy)


def _paused_types(seen: Snapshot) -> Findings:
    for one in seen.paused_types:
        by = f" by {one.pause.by}" if one.pause.by else ""
        reason = f": {one.pause.reason}" if one.pause.reason else ""
        ends = f"ends {moment(one.pause.until_ms, seen.at_ms)}" if one.pause.until_ms else "has no end"
        text = f"{one.kind.value} is paused everywhere{by} since {moment(one.since_ms, seen.at_ms)}{reason}; {ends}."
        forgotten = one.pause.until_ms is None and seen.at_ms - one.since_ms > PAUSED_LONG_MS
        severity = Severity.ACT if forgotten else Severity.INFO
        remedy = actions.resume_type(one.kind.value)
        yield Finding(ProblemKind.PAUSED, severity, text, one.since_ms, actions=(remedy,), topic=one.kind.value)


def slowed(seen: Snapshot) -> Findings:
    for lane in seen.lanes:
        until_ms, oldest_ms = lane.slowed_until_ms, lane.oldest_due_ms
        if until_ms is None or until_ms <= seen.at_ms or _held(lane):
            continue
        late_ms = 0 if oldest_ms is None else seen.at_ms - oldest_ms
        text = (
            f"{_name(lane)} asked to be sent less until {moment(until_ms, seen.at_ms)}; {_waiting(lane)},"
            f" the oldest for {span(late_ms)}."
        )
        severity = Severity.ACT if late_ms > SLOWED_MS else Severity.INFO
        began_ms = seen.at_ms - max(0, late_ms)
        yield _finding(lane, ProblemKind.SLOWED, severity, text, began_ms, actions.why(lane.integration_id))

"""Rules about what has one remedy each: probes, certificates, clocks, keys, updates, jobs, operators' own messages."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.clock import DAY_MS
from dispatcher.model.troubles import Snapshot
from dispatcher.model.verdict import Action, Finding, ProblemKind, Severity
from dispatcher.policy.verdict import actions
from dispatcher.policy.verdict.fleet import HOUR_MS, MINUTE_MS
from dispatcher.policy.verdict.words import called, moment, number, span

PROBES_FAILED = 2
CERTIFICATE_INFO_MS, CERTIFICATE_ACT_MS = 14 * DAY_MS, 3 * DAY_MS
SKEW_MS = 1_000
STUCK_MS = 5 * MINUTE_MS
MOST_REASON = 200
"""Characters."""

Findings = Iterator[Finding]


def probe_failed(seen: Snapshot) -> Findings:
    for probe in seen.probes:
        if probe.failed_in_a_row < PROBES_FAILED:
            continue
        name, since = called(probe.name, probe.integration_id), moment(probe.since_ms, seen.at_ms)
        because = f": {probe.words.rstrip('.')}" if probe.words else ""
        text = f"{name} failed its last {probe.failed_in_a_row} pings since {since}{because}."
        remedy = Action("Ping", f"dispatcher ping {probe.integration_id}")
        whose = probe.integration_id, probe.vendor_id
        yield Finding(ProblemKind.PROBE_FAILED, Severity.INFO, text, probe.since_ms, *whose, actions=(remedy,))


def certificate(seen: Snapshot) -> Findings:
    for probe in seen.probes:
        ends_ms = probe.certificate_ends_ms
        if ends_ms is None or ends_ms - seen.at_ms > CERTIFICATE_INFO_MS:
            continue
        left_ms = ends_ms - seen.at_ms
        ends = f"ends in {span(left_ms)}" if left_ms > 0 else f"ended at {moment(ends_ms, seen.at_ms)}"
        text = f"The certificate of {called(probe.name, probe.integration_id)} {ends}; then nothing is delivered there."
        severity = Severity.ACT if left_ms <= CERTIFICATE_ACT_MS else Severity.INFO
        remedy = Action("Tell its publisher", f"dispatcher ping {probe.integration_id}")
        since_ms = min(seen.at_ms, ends_ms - CERTIFICATE_INFO_MS)
        whose = probe.integration_id, probe.vendor_id
        yield Finding(ProblemKind.CERTIFICATE, severity, text, since_ms, *whose, actions=(remedy,))


def clock(seen: Snapshot) -> Findings:
    skew_ms = seen.upkeep.clock_skew_ms
    if abs(skew_ms) > SKEW_MS:
        side = "ahead of" if skew_ms > 0 else "behind"
        text = f"This machine's clock is {span(abs(skew_ms))} {side} that of Redis; times in logs are wrong by as much."
        yield Finding(ProblemKind.CLOCK, Severity.ACT, text, seen.at_ms, actions=(actions.SET_CLOCKS,))


def keys_stale(seen: Snapshot) -> Findings:
    stale = seen.upkeep.stale_values
    if stale:
        needing = number(stale, "sealed value needs", "sealed values need")
        text = f"{needing} an older key; keep it until they are sealed again."
        yield Finding(ProblemKind.KEYS_STALE, Severity.INFO, text, seen.at_ms, actions=(actions.RESEAL,))


def update_locked(seen: Snapshot) -> Findings:
    oldest = seen.upkeep.oldest_update
    if oldest is None or seen.at_ms - oldest.since_ms < HOUR_MS:
        return
    held = number(seen.upkeep.updates, "installation is", "installations are")
    text = (
        f"{held} held by an update for over an hour, {oldest.id} since {moment(oldest.since_ms, seen.at_ms)};"
        " their events wait."
    )
    remedy = Action(
        "End the update",
        "its publisher: PUT /v1/integrations/{_id} with updateInProgress false and a higher version",
        is_advice=True,
    )
    yield Finding(ProblemKind.UPDATE_LOCKED, Severity.ACT, text, oldest.since_ms, actions=(remedy,))


def redelivery_stuck(seen: Snapshot) -> Findings:
    for job in seen.upkeep.redeliveries:
        if seen.at_ms - job.since_ms < STUCK_MS:
            continue
        text = (
            f"Redelivery {job.id} stands at {job.done:,} of {job.total:,} since {moment(job.since_ms, seen.at_ms)};"
            " nothing more is sent again."
        )
        remedy = Action("Look at it", f"dispatcher redeliveries show {job.id}", "GET", f"/v1/redeliveries/{job.id}")
        yield Finding(ProblemKind.REDELIVERY_STUCK, Severity.ACT, text, job.since_ms, actions=(remedy,), topic=job.id)


def operations_failing(seen: Snapshot) -> Findings:
    since_ms = seen.upkeep.operations_failing_since_ms
    if since_ms is not None and seen.at_ms - since_ms >= STUCK_MS:
        waiting = seen.upkeep.operations_waiting
        wait = number(waiting, "message waits", "messages wait")
        text = f"DISPATCHER_OPERATIONS_URL takes nothing since {moment(since_ms, seen.at_ms)}; {wait}."
        remedy = Action("Check its URL and secret", "dispatcher config")
        yield Finding(ProblemKind.OPERATIONS_FAILING, Severity.ACT, text, since_ms, waiting=waiting, actions=(remedy,))


def archive_away(seen: Snapshot) -> Findings:
    since_ms = seen.upkeep.archive_away_since_ms
    if since_ms is not None:
        because = seen.upkeep.archive_away.rstrip(".")
        text = (
            f"Nothing is archived since {moment(since_ms, seen.at_ms)}: {because}. Events stay in Redis, which fills."
        )
        yield Finding(ProblemKind.ARCHIVE_AWAY, Severity.ACT, text, since_ms, actions=(actions.DOCTOR,))


def intake_poison(seen: Snapshot) -> Findings:
    for aside in seen.upkeep.set_aside:
        because = f", the newest because of {aside.reason[:MOST_REASON].rstrip('.')}" if aside.reason else ""
        held = number(aside.entries, "entry is", "entries are")
        text = f"{held} set aside of {aside.source} since {moment(aside.since_ms, seen.at_ms)}{because}."
        remedies = actions.look_at_poison(aside.source), actions.put_back(aside.source)
        yield Finding(
            ProblemKind.INTAKE_POISON, Severity.ACT, text, aside.since_ms, actions=remedies, topic=aside.source
        )

"""Each kind of problem: the sentence, the severity, the boundary below which it is none, and its action."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.troubles import (
    Cause,
    FlowFacts,
    IntegrityFacts,
    PauseFacts,
    ProbeFacts,
    SetAside,
    Snapshot,
    StoreFacts,
    StuckJob,
    UpkeepFacts,
    WorkerFacts,
)
from dispatcher.model.verdict import ProblemKind, Severity
from dispatcher.policy.verdict.rules import RULES
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    DAY,
    HOUR,
    ID,
    MINUTE,
    NOW,
    QUIET,
    REFUSING,
    found,
    issue,
    lane,
    seen,
)

K, S = ProblemKind, Severity
ANSWERS_500 = Cause("HTTP_ERROR", 500, "HTTP 500")
NO_TOKEN = Cause("TOKEN_FAILED", 401, "invalid_client")


def upkeep(**facts: Any) -> Snapshot:
    return seen(upkeep=UpkeepFacts(**facts))


def flow(**facts: Any) -> Snapshot:
    return seen(flow=FlowFacts(**facts))


def store(**facts: Any) -> Snapshot:
    return seen(store=StoreFacts(**facts))


def workers(**facts: Any) -> Snapshot:
    return seen(workers=WorkerFacts(**facts))


def circuit(**facts: Any) -> Snapshot:
    known = {"circuit_since_ms": AT_1402, "next_try_ms": NOW + 12_000, "waiting": 14, "accounts": 9, "cause": REFUSING}
    return seen(lane(**(known | facts)))


def pausing(pause: PauseFacts, waiting: int) -> Snapshot:
    return seen(lane(pause=pause, waiting=waiting))


SENTENCES: list[tuple[Snapshot, ProblemKind, Severity, str, str]] = [
    (
        store(away_since_ms=AT_1402),
        K.STORE_AWAY,
        S.PAGE,
        "Redis takes no writes since 14:02 UTC: nothing is accepted or delivered.",
        "dispatcher doctor",
    ),
    (
        workers(silent_since_ms=AT_1402, waiting=3681, partitions=8),
        K.NO_WORKER,
        S.PAGE,
        "No worker since 14:02 UTC; 3,681 events wait.",
        "dispatcher worker",
    ),
    (
        workers(alive=1, silent_since_ms=AT_1402, waiting=1, partitions=1),
        K.NO_WORKER,
        S.PAGE,
        "1 partition has no worker since 14:02 UTC; 1 event waits.",
        "dispatcher worker",
    ),
    (
        workers(silent_since_ms=AT_1402),
        K.NO_WORKER,
        S.INFO,
        "No worker since 14:02 UTC; nothing waits.",
        "dispatcher worker",
    ),
    (
        seen(integrity=IntegrityFacts(lost_ms=AT_1402, lost_text="what was confirmed after 14:01 may be gone")),
        K.DATA_LOSS,
        S.PAGE,
        "Redis lost writes, noticed at 14:02 UTC: what was confirmed after 14:01 may be gone.",
        "docs/operations.md, when something is wrong",
    ),
    (
        seen(integrity=IntegrityFacts(broken_since_ms=AT_1402, broken_by=2)),
        K.AUDIT_BROKEN,
        S.PAGE,
        "What was accepted is not what ended and what is open: 2 events missing.",
        "dispatcher audit",
    ),
    (
        seen(integrity=IntegrityFacts(repairs=3, repaired_ms=AT_1402)),
        K.REPAIRED,
        S.ACT,
        "The queue needed 3 repairs, the last at 14:02 UTC; a healthy store needs none.",
        "dispatcher audit",
    ),
    (
        store(memory_ratio=0.6, full_in_ms=5 * HOUR),
        K.STORE_PRESSURE,
        S.ACT,
        "Redis is full in 5 h; then events are refused.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        store(memory_ratio=0.75),
        K.STORE_PRESSURE,
        S.ACT,
        "Redis is 75% full; when it is full, events are refused.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        store(memory_ratio=0.91, refusing=True),
        K.STORE_PRESSURE,
        S.PAGE,
        "Redis is 91% full: events are refused until there is room.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        flow(emits=1000, emits_failed=40),
        K.ACCEPT_FAILING,
        S.PAGE,
        "4% of emits failed in the last minute, 40 of 1,000.",
        "its answers with a status of 5xx; docs/operations.md",
    ),
    (
        flow(overdue=412, overdue_since_ms=NOW - 74_000),
        K.OVERDUE,
        S.ACT,
        "412 events are due for 74 s and nobody takes them.",
        "dispatcher workers",
    ),
    (
        flow(overdue=1, overdue_since_ms=NOW - 300_000),
        K.OVERDUE,
        S.PAGE,
        "1 event is due for 300 s and nobody takes it.",
        "dispatcher workers",
    ),
    (
        flow(backlog=4000, growing_since_ms=NOW - 10 * MINUTE, drain_ms=40 * MINUTE),
        K.BACKLOG,
        S.ACT,
        "Arrives faster than it leaves; 40 min behind; 4,000 events wait.",
        "dispatcher worker --processes 2",
    ),
    (
        flow(backlog=4000, growing_since_ms=NOW - 10 * MINUTE, drain_ms=60 * MINUTE),
        K.BACKLOG,
        S.PAGE,
        "Arrives faster than it leaves; 60 min behind; 4,000 events wait.",
        "dispatcher worker --processes 2",
    ),
    (
        circuit(),
        K.CIRCUIT_OPEN,
        S.ACT,
        "Northwind refuses connections since 14:02 UTC; next try in 12 s; 14 events of 9 accounts wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        circuit(waiting=1000, next_try_ms=None),
        K.CIRCUIT_OPEN,
        S.PAGE,
        (
            "Northwind refuses connections since 14:02 UTC; it is being tried now; 1,000 events of 9 accounts wait,"
            " none is lost."
        ),
        f"dispatcher ping {ID}",
    ),
    (
        circuit(circuit_since_ms=NOW - 30 * MINUTE),
        K.CIRCUIT_OPEN,
        S.PAGE,
        "Northwind refuses connections since 14:00 UTC; next try in 12 s; 14 events of 9 accounts wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(lane(attempts=20, failures=18, failing_since_ms=AT_1402, cause=ANSWERS_500)),
        K.FAILING,
        S.ACT,
        "Northwind answers 500 to 9 of 10 since 14:02 UTC; nothing waits.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(failures_in_a_row=3, failing_since_ms=NOW - 30 * MINUTE, cause=ANSWERS_500, waiting=1)),
        K.FAILING,
        S.PAGE,
        "Northwind answers 500 to 3 attempts in a row since 14:00 UTC; 1 event waits, none is lost.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(token_failing_since_ms=AT_1402, same_in_a_row=3, cause=NO_TOKEN, waiting=2, accounts=1)),
        K.CREDENTIALS_FAILING,
        S.ACT,
        "Northwind gets no token since 14:02 UTC: invalid_client; 2 events of 1 account wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(lane(suspended_urls=1, suspended_since_ms=AT_1402, parked=31)),
        K.URL_SUSPENDED,
        S.ACT,
        "Northwind answered 410 at 14:02 UTC; 31 events are parked.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(lane(disabled_ms=AT_1402, waiting=31, pause=PauseFacts(AT_1402))),
        K.INTEGRATION_DISABLED,
        S.ACT,
        "Northwind is disabled since 14:02 UTC, every attempt failed before; 31 events wait, none is lost.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(
            lane(failing_since_ms=NOW - 5 * DAY // 2, failures_in_a_row=9, cause=ANSWERS_500), disable_after_ms=5 * DAY
        ),
        K.INTEGRATION_DISABLED,
        S.INFO,
        "Northwind answers 500 since Nov 27 02:30 UTC and is disabled in 2 d unless an attempt goes well.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(failing_since_ms=NOW - 108 * HOUR, failures_in_a_row=9, cause=ANSWERS_500), disable_after_ms=5 * DAY),
        K.INTEGRATION_DISABLED,
        S.ACT,
        "Northwind answers 500 since Nov 25 02:30 UTC and is disabled in 12 h unless an attempt goes well.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(issues=(issue(23), issue(3, 2, error="HTTP 500"))),
        K.DEAD_LETTERS,
        S.ACT,
        "26 died since 14:02 UTC, 23 of one cause: Northwind, HTTP 503.",
        "dispatcher redeliver --where 'status:dead,expired'",
    ),
    (
        seen(issues=(issue(10_000),), flow=FlowFacts(died=50)),
        K.DEAD_LETTERS,
        S.PAGE,
        "10,000 died since 14:02 UTC, all of one cause: Northwind, HTTP 503.",
        "dispatcher redeliver --where 'status:dead,expired'",
    ),
    (
        pausing(PauseFacts(AT_1402, "deploy", "ada", NOW + 30 * MINUTE), 84),
        K.PAUSED,
        S.INFO,
        "Northwind is paused by ada since 14:02 UTC: deploy; ends 15:00 UTC; 84 events wait.",
        f"dispatcher resume {ID}",
    ),
    (
        pausing(PauseFacts(NOW - 25 * HOUR), 0),
        K.PAUSED,
        S.ACT,
        "Northwind is paused since Nov 28 13:30 UTC; has no end; nothing waits.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(lane(slowed_until_ms=NOW + HOUR, oldest_due_ms=NOW - 16 * MINUTE, waiting=3, accounts=3)),
        K.SLOWED,
        S.ACT,
        (
            "Northwind asked to be sent less until 15:30 UTC; 3 events of 3 accounts wait, none is lost,"
            " the oldest for 16 min."
        ),
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(probes=(ProbeFacts(ID, "Northwind", None, 2, AT_1402, "no answer"),)),
        K.PROBE_FAILED,
        S.INFO,
        "Northwind failed its last 2 pings since 14:02 UTC: no answer.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(probes=(ProbeFacts(ID, "Northwind", certificate_ends_ms=NOW + 3 * DAY),)),
        K.CERTIFICATE,
        S.ACT,
        "The certificate of Northwind ends in 3 d; then nothing is delivered there.",
        f"dispatcher ping {ID}",
    ),
    (
        upkeep(clock_skew_ms=-2000),
        K.CLOCK,
        S.ACT,
        "This machine's clock is 2 s behind that of Redis; times in logs are wrong by as much.",
        "let NTP set the clocks of this machine and of Redis",
    ),
    (
        upkeep(stale_values=2),
        K.KEYS_STALE,
        S.INFO,
        "2 sealed values need an older key; keep it until they are sealed again.",
        "dispatcher secrets reseal",
    ),
    (
        upkeep(updates=1, oldest_update=StuckJob("n1", NOW - HOUR)),
        K.UPDATE_LOCKED,
        S.ACT,
        "1 installation is held by an update for over an hour, n1 since 13:30 UTC; their events wait.",
        "its publisher: PUT /v1/integrations/{_id} with updateInProgress false and a higher version",
    ),
    (
        upkeep(redeliveries=(StuckJob("r1", NOW - 5 * MINUTE, 7, 1200),)),
        K.REDELIVERY_STUCK,
        S.ACT,
        "Redelivery r1 stands at 7 of 1,200 since 14:25 UTC; nothing more is sent again.",
        "dispatcher redeliveries show r1",
    ),
    (
        upkeep(operations_failing_since_ms=NOW - 5 * MINUTE, operations_waiting=1),
        K.OPERATIONS_FAILING,
        S.ACT,
        "DISPATCHER_OPERATIONS_URL takes nothing since 14:25 UTC; 1 message waits.",
        "dispatcher config",
    ),
    (
        upkeep(archive_away="the disk is full", archive_away_since_ms=NOW - 5 * MINUTE),
        K.ARCHIVE_AWAY,
        S.ACT,
        "Nothing is archived since 14:25 UTC: the disk is full. Events stay in Redis, which fills.",
        "dispatcher doctor",
    ),
    (
        upkeep(set_aside=(SetAside("stream new orders", 3, NOW - 5 * MINUTE, "unknown_type (type)."),)),
        K.INTAKE_POISON,
        S.ACT,
        "3 entries are set aside of stream new orders since 14:25 UTC, the newest because of unknown_type (type).",
        "dispatcher intake --stream 'new orders' --poison",
    ),
]


@pytest.mark.parametrize(("snapshot", "kind", "severity", "text", "command"), SENTENCES)
def test_each_fact_is_named_in_a_sentence_with_its_remedy(
    snapshot: Snapshot, kind: ProblemKind, severity: Severity, text: str, command: str
) -> None:
    (finding,) = found(kind, snapshot)
    assert (finding.text, finding.severity) == (text, severity)
    assert finding.actions[0].command == command


def test_every_kind_has_a_rule_and_a_sentence() -> None:
    assert set(RULES) == set(ProblemKind)
    assert {kind for _, kind, *_ in SENTENCES} == set(ProblemKind)


NOTHING: list[tuple[str, Snapshot]] = [
    ("one retry", seen(lane(attempts=1, failures=1, failing_since_ms=NOW, failures_in_a_row=1, cause=ANSWERS_500))),
    ("one token failure", seen(lane(token_failing_since_ms=NOW, same_in_a_row=1, cause=NO_TOKEN))),
    ("nine attempts that failed", seen(lane(attempts=9, failures=9, failing_since_ms=NOW, cause=ANSWERS_500))),
    ("a third of many failed", seen(lane(attempts=30, failures=10, cause=ANSWERS_500))),
    (
        "a host that is well again",
        seen(lane(attempts=40, failures=30, newest_attempts=9, newest_failures=4, cause=ANSWERS_500)),
    ),
    ("held behind a head", seen(lane(waiting=50, accounts=1))),
    ("a store away for a moment", store(away_since_ms=NOW - 4_999)),
    ("a worker silent for a moment", workers(silent_since_ms=NOW - 9_999, waiting=5)),
    ("four emits that failed", flow(emits=10, emits_failed=4)),
    ("few of very many emits", flow(emits=1000, emits_failed=9)),
    ("due for a moment", flow(overdue=5, overdue_since_ms=NOW - 59_999)),
    ("growing for nine minutes", flow(backlog=5, growing_since_ms=NOW - 599_999, drain_ms=HOUR)),
    ("soon drained", flow(backlog=5, growing_since_ms=NOW - HOUR, drain_ms=15 * MINUTE - 1)),
    ("repaired an hour ago", seen(integrity=IntegrityFacts(repairs=1, repaired_ms=NOW - HOUR))),
    ("one probe that failed", seen(probes=(ProbeFacts(ID, failed_in_a_row=1),))),
    ("a certificate for 15 days", seen(probes=(ProbeFacts(ID, certificate_ends_ms=NOW + 15 * DAY),))),
    ("a clock one second apart", upkeep(clock_skew_ms=1000)),
    ("an update under an hour", upkeep(updates=1, oldest_update=StuckJob("n1", NOW - HOUR + 1))),
    ("a slow-down that is over", seen(lane(slowed_until_ms=NOW))),
    ("dead letters that somebody knows of", seen(issues=(issue(acknowledged=True),))),
    ("refusals as usual", flow(refused=40, refused_usually=10.0)),
    ("nothing at all", QUIET),
]


@pytest.mark.parametrize(
    "still", [{"failures_in_a_row": 1, "newest_attempts": 9}, {"newest_attempts": 9, "newest_failures": 5}]
)
def test_a_host_that_fails_every_other_time_is_failing_whatever_its_last_attempt_was(still: dict[str, int]) -> None:
    assert list(found(ProblemKind.FAILING, seen(lane(attempts=40, failures=30, cause=ANSWERS_500, **still))))


@pytest.mark.parametrize(("what", "snapshot"), NOTHING, ids=[what for what, _ in NOTHING])
def test_what_is_in_order_or_only_begins_is_no_problem(what: str, snapshot: Snapshot) -> None:
    assert [finding for rule in RULES.values() for finding in rule(snapshot)] == []


def test_overdue_events_are_not_named_beside_the_missing_worker() -> None:
    late = FlowFacts(overdue=5, overdue_since_ms=NOW - HOUR)
    assert found(K.OVERDUE, seen(flow=late, workers=WorkerFacts(silent_since_ms=AT_1402, waiting=5))) == []


def test_a_pause_hides_what_it_was_made_for() -> None:
    held = replace(circuit().lanes[0], pause=PauseFacts(AT_1402, "host is down"))
    assert found(K.CIRCUIT_OPEN, seen(held)) == []
    assert len(found(K.PAUSED, seen(held))) == 1


def test_a_quarter_of_the_traffic_pages() -> None:
    (finding,) = found(K.CIRCUIT_OPEN, replace(circuit(waiting=25), flow=FlowFacts(accepted=100)))
    assert finding.severity is S.PAGE


def test_refusals_of_hosts_are_told_from_five_times_the_usual_on() -> None:
    (finding,) = found(K.DEAD_LETTERS, flow(refused=50, refused_usually=10.0))
    assert finding.severity is S.INFO
    assert finding.text.startswith("Hosts refused 50 events in the last 10 min, usually 10")

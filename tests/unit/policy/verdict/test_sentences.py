"""Each kind of problem: the sentence, the severity and its action."""

from __future__ import annotations

import pytest

from dispatcher.model.troubles import (
    FlowFacts,
    IntegrityFacts,
    PauseFacts,
    ProbeFacts,
    SetAside,
    Snapshot,
    StuckJob,
)
from dispatcher.model.verdict import ProblemKind, Severity
from dispatcher.policy.verdict.rules import RULES
from tests.unit.policy.verdict.facts import ANSWERS_500, NO_TOKEN, K, S, circuit, flow, store, upkeep, workers
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    DAY,
    HOUR,
    ID,
    MINUTE,
    NOW,
    found,
    issue,
    lane,
    seen,
)


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

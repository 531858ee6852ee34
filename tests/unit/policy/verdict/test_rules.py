"""The boundary below which a fact is no problem, and what one problem hides of another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.model.troubles import (
    FlowFacts,
    IntegrityFacts,
    PauseFacts,
    ProbeFacts,
    Snapshot,
    StuckJob,
    WorkerFacts,
)
from dispatcher.model.verdict import ProblemKind
from dispatcher.policy.verdict.rules import RULES
from tests.unit.policy.verdict.facts import ANSWERS_500, NO_TOKEN, K, S, circuit, flow, store, upkeep, workers
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    DAY,
    HOUR,
    ID,
    MINUTE,
    NOW,
    QUIET,
    found,
    issue,
    lane,
    seen,
)

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

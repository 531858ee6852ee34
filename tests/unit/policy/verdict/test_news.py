"""News to operators when a verdict follows another."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.operational import OperationalEvent, OperationalKind
from dispatcher.model.troubles import PauseFacts, ProbeFacts, Snapshot, StoreFacts, UpkeepFacts
from dispatcher.model.verdict import Verdict
from dispatcher.policy.verdict import verdict
from dispatcher.policy.verdict.news import news
from tests.unit.policy.verdict.scenes import AT_1402, DAY, HOUR, ID, NOW, QUIET, REFUSING, lane, seen

FULL = seen(store=StoreFacts(memory_ratio=0.95, refusing=True, since_ms=NOW))


def told(*steps: Snapshot, every_ms: int = 120_000) -> list[OperationalEvent]:
    """News of the last of these verdicts, two minutes apart."""
    said: Verdict | None = None
    found: list[OperationalEvent] = []
    for number, step in enumerate(steps):
        snapshot = replace(step, at_ms=NOW + number * every_ms)
        before, said = said, verdict(snapshot, said, snapshot.at_ms)
        found = list(news(before, said, snapshot))
    return found


def test_a_problem_is_told_when_it_opens_and_when_it_has_ended() -> None:
    (opened,) = told(QUIET, FULL)
    assert opened.kind is OperationalKind.PROBLEM_OPENED
    assert opened.integration_id is None
    assert opened.detail == {
        "problem": "store_pressure",
        "kind": "store_pressure",
        "severity": "page",
        "text": "Redis is 95% full: events are refused until there is room.",
    }
    assert told(FULL, FULL) == []
    (ended,) = told(FULL, QUIET)
    assert (ended.kind, ended.detail["problem"]) == (OperationalKind.PROBLEM_ENDED, "store_pressure")


def test_what_was_open_before_anybody_judged_is_told() -> None:
    assert [event.kind for event in told(FULL)] == [OperationalKind.PROBLEM_OPENED]


def test_circuits_and_pauses_are_told_by_whoever_causes_them() -> None:
    broken = lane(circuit_since_ms=AT_1402, cause=REFUSING)
    held = lane(integration_id="other", pause=PauseFacts(NOW - 25 * HOUR))
    assert told(QUIET, seen(broken, held)) == []


def test_many_integrations_with_one_cause_are_told_together() -> None:
    lanes = [lane(integration_id=f"l-{n}", circuit_since_ms=AT_1402, cause=REFUSING) for n in range(5)]
    (event,) = told(QUIET, seen(*lanes))
    assert str(event.detail["text"]).startswith("5 integrations refuse connections")


def test_what_is_only_good_to_know_is_not_told_but_for_probes() -> None:
    quiet = seen(upkeep=UpkeepFacts(stale_values=1))
    assert told(QUIET, quiet) == []
    (probe,) = told(QUIET, seen(probes=(ProbeFacts(ID, "Northwind", None, 2, AT_1402),)))
    assert (probe.integration_id, probe.detail["kind"]) == (ID, "probe_failed")


def failing(gone: float) -> Snapshot:
    """An integration that is so far on its way to being disabled."""
    since_ms = NOW - int(gone * 5 * DAY)
    host = lane(failing_since_ms=since_ms, failures_in_a_row=9, attempts=1, failures=1, cause=REFUSING)
    return replace(seen(host), disable_after_ms=5 * DAY)


def stages(*steps: Snapshot) -> list[object]:
    failing_ones = [one for one in told(*steps) if one.kind is OperationalKind.INTEGRATION_FAILING]
    return [one.detail["percent"] for one in failing_ones]


def test_half_seven_tenths_and_nine_tenths_of_the_way_to_being_disabled_are_told_once_each() -> None:
    just = 1e-5  # of five days: 4 s
    for share in (0.5, 0.7, 0.9):
        assert stages(failing(share - just), failing(share - just)) == [round(100 * share)]
        assert stages(failing(share + just), failing(share + just)) == []


def test_every_stage_is_told_when_several_are_passed_between_two_looks() -> None:
    """Symptom: with a horizon of seconds the first warning was of 70 or 90 per cent."""
    soon = replace(failing(0.0), disable_after_ms=125_000)
    later = replace(soon, disable_after_ms=160_000)
    assert stages(QUIET, soon) == [50, 70, 90]
    assert stages(QUIET, later) == [50, 70]
    assert stages(QUIET, later, later) == [90]


def test_a_stage_that_could_not_be_told_when_it_was_passed_is_told_later() -> None:
    few = replace(failing(0.6), lanes=tuple(replace(one, failures_in_a_row=1) for one in failing(0.6).lanes))
    held = replace(few, lanes=tuple(replace(one, pause=PauseFacts(NOW - HOUR)) for one in failing(0.75).lanes))
    assert stages(few, few) == []
    assert stages(few, failing(0.6)) == [50]
    assert stages(held, failing(0.75)) == [70]


def test_being_disabled_and_enabled_are_told() -> None:
    off = seen(lane(disabled_ms=AT_1402, pause=PauseFacts(AT_1402)))
    assert [one.kind for one in told(QUIET, off)] == [OperationalKind.INTEGRATION_DISABLED]
    assert [one.kind for one in told(off, QUIET)] == [OperationalKind.INTEGRATION_ENABLED]

"""Findings over time, as the verdict has them: order, since, closing, coming and going, one cause, one vendor."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.troubles import FlowFacts, PauseFacts, Snapshot, StoreFacts, TroubledLane, UpkeepFacts
from dispatcher.model.verdict import Acknowledgement, Ended, ProblemKind, Severity, Tally, Verdict
from dispatcher.policy.verdict import acknowledged, away, narrowed, verdict
from dispatcher.policy.verdict.causes import MOST_PARTS
from dispatcher.policy.verdict.judging import MOST_PROBLEMS
from tests.unit.policy.verdict.scenes import AT_1402, MINUTE, NOW, QUIET, REFUSING, issue, lane, seen

K, S = ProblemKind, Severity
SKEWED = seen(upkeep=UpkeepFacts(clock_skew_ms=5000))


def broken(number: int = 1, since_ms: int = AT_1402, **facts: object) -> TroubledLane:
    return lane(integration_id=f"lane-{number}", circuit_since_ms=since_ms, cause=REFUSING, **facts)


def at(snapshot: Snapshot, later_ms: int) -> Snapshot:
    return replace(snapshot, at_ms=NOW + later_ms)


def judged(*steps: tuple[int, Snapshot]) -> Verdict:
    """One verdict after the other, each so many ms from now."""
    said: Verdict | None = None
    for later_ms, snapshot in steps:
        said = verdict(at(snapshot, later_ms), said, NOW + later_ms)
    assert said is not None
    return said


def kinds(said: Verdict) -> list[str]:
    return [problem.finding.kind.value for problem in said.problems]


def test_all_is_well_in_figures() -> None:
    said = judged((0, QUIET))
    assert said.ok
    assert said.text == "All is well: 212/s, 99.4 % at the first attempt, p99 17 ms, oldest due 0.2 s."


def test_what_takes_long_is_told_in_seconds_and_minutes() -> None:
    for p99_ms, told in ((9_999, "9,999 ms"), (75_000, "75 s"), (230_430, "4 min")):
        assert f"p99 {told}," in judged((0, replace(QUIET, figures=replace(QUIET.figures, p99_ms=p99_ms)))).text


def test_nearly_all_is_never_said_to_be_all() -> None:
    said = judged((0, replace(QUIET, figures=replace(QUIET.figures, first_share=0.99999))))
    assert "99.9 % at the first attempt" in said.text


def test_what_needs_somebody_is_the_headline() -> None:
    said = judged((0, replace(SKEWED, lanes=(broken(waiting=1000),))))
    assert not said.ok
    assert said.text.startswith("Northwind refuses connections since 14:02 UTC")
    assert said.text.endswith(" 1 more problem needs somebody.")


def test_order_is_severity_then_fleet_then_waiting_then_age() -> None:
    lanes = (broken(1, waiting=5), broken(2, waiting=50), broken(3, since_ms=AT_1402 - MINUTE * 2, waiting=5))
    pressure = StoreFacts(memory_ratio=0.99, refusing=True, since_ms=NOW)
    said = judged((0, replace(SKEWED, lanes=lanes, store=pressure)))
    order = [problem.finding.integration_id or problem.finding.kind.value for problem in said.problems]
    assert order == ["store_pressure", "lane-3", "clock", "lane-2", "lane-1"]


def test_since_is_when_the_fact_began_and_stays() -> None:
    said = judged((0, SKEWED), (MINUTE, SKEWED), (2 * MINUTE, SKEWED))
    assert [problem.finding.since_ms for problem in said.problems] == [NOW]


def test_a_problem_closes_once_it_has_not_held_for_a_minute() -> None:
    steps = [(0, SKEWED), (30_000, QUIET)]
    assert kinds(judged(*steps)) == ["clock"]
    assert kinds(judged(*steps, (59_999, QUIET))) == ["clock"]
    assert kinds(judged(*steps, (60_000, QUIET))) == []


def test_a_circuit_that_closed_is_known_for_an_hour_to_those_whose_it_is() -> None:
    open_now = replace(QUIET, lanes=(broken(vendor_id="V"),))
    said = judged((0, open_now), (MINUTE, QUIET), (2 * MINUTE, QUIET))
    assert said.ended == (Ended(K.CIRCUIT_OPEN, "lane-1", "V", AT_1402, NOW + MINUTE),)
    assert (narrowed(said, "V").ended, narrowed(said, "W").ended) == (said.ended, ())
    assert judged((0, open_now), (MINUTE, QUIET), (62 * MINUTE, QUIET)).ended == ()


def test_what_needed_somebody_is_known_for_an_hour_once_it_is_over() -> None:
    bad = lane(failures_in_a_row=12, attempts=12, failures=12, failing_since_ms=AT_1402)
    behind = replace(QUIET, lanes=(bad,))
    later = [(minutes * MINUTE, QUIET) for minutes in (1, 4)]
    said = judged((0, behind), *later)
    assert said.ok
    assert [(one.kind, one.until_ms) for one in said.ended] == [(K.FAILING, NOW + MINUTE)]
    held = replace(QUIET, lanes=(replace(bad, pause=PauseFacts(NOW, "ops")),))
    assert judged((0, behind), (MINUTE, held), (2 * MINUTE, held)).ended == ()
    assert judged((0, SKEWED), *later).ended == ()


def test_a_circuit_that_stays_open_behind_a_pause_has_not_closed() -> None:
    held = replace(QUIET, lanes=(broken(pause=PauseFacts(NOW, "ops")),))
    said = judged((0, replace(QUIET, lanes=(broken(),))), (MINUTE, held))
    assert (kinds(said), said.ended) == (["paused"], ())


def test_circuits_of_one_cause_that_closed_are_known_one_by_one() -> None:
    many = replace(QUIET, lanes=tuple(broken(number) for number in range(6)))
    said = judged((0, many), (MINUTE, QUIET))
    assert sorted(one.integration_id for one in said.ended) == [f"lane-{number}" for number in range(6)]


def test_a_circuit_closes_with_the_attempt_that_was_delivered() -> None:
    assert kinds(judged((0, seen(broken())), (5000, QUIET))) == []


def test_what_opens_three_times_in_ten_minutes_comes_and_goes() -> None:
    there = seen(broken())
    steps = [(0, there), (5_000, QUIET), (60_000, there), (65_000, QUIET), (120_000, there)]
    said = judged(*steps)
    assert said.problems[0].finding.text.endswith("it comes and goes, 3 times since 14:30 UTC.")
    still = judged(*steps, (125_000, QUIET))
    assert kinds(still) == ["circuit_open"]
    assert kinds(judged(*steps, (125_000, QUIET), (660_000, QUIET))) == []


def test_a_pause_that_people_begin_and_end_often_closes_at_once() -> None:
    there = seen(lane(pause=PauseFacts(NOW, "ops")))
    steps = [(0, there), (5_000, QUIET), (60_000, there), (65_000, QUIET), (120_000, there)]
    said = judged(*steps)
    assert (kinds(said), "comes and goes" in said.problems[0].finding.text) == (["paused"], False)
    assert kinds(judged(*steps, (125_000, QUIET))) == []


def test_five_integrations_with_one_cause_are_one_page() -> None:
    said = judged((0, seen(*(broken(n, AT_1402 + n * 1000, waiting=n) for n in range(1, 6)))))
    (problem,) = said.problems
    assert problem.severity is S.PAGE
    assert problem.finding.integration_id is None
    assert problem.finding.waiting == 15
    expected = (
        "5 integrations refuse connections since 14:02 UTC: look at this side's network; 15 events wait, none is lost."
    )
    assert problem.finding.text == expected


def test_a_vendor_is_told_of_its_own_among_many_with_one_cause() -> None:
    others = [replace(broken(n), vendor_id="v2") for n in range(2, 6)]
    own = narrowed(judged((0, seen(broken(1), *others))), "v1")
    assert [one.finding.integration_id for one in own.problems] == ["lane-1"]
    assert own.text.startswith("Northwind refuses connections")


def test_four_with_one_cause_or_five_over_a_longer_time_are_problems_of_their_own() -> None:
    assert len(judged((0, seen(*(broken(n) for n in range(4))))).problems) == 4
    slow = (broken(n, AT_1402 + n * MINUTE) for n in range(5))
    assert len(judged((0, seen(*slow))).problems) == 5


def test_two_hundred_problems_are_listed_and_the_rest_counted() -> None:
    lanes = [lane(integration_id=f"l-{n}", suspended_urls=1, suspended_since_ms=AT_1402) for n in range(250)]
    said = judged((0, seen(*lanes)))
    assert len(said.problems) == MOST_PROBLEMS
    assert said.uncounted == 50
    assert said.counts == (Tally(K.URL_SUSPENDED, S.ACT, 250),)


def test_a_vendor_is_told_how_many_of_its_problems_are_not_listed() -> None:
    gone = lane(suspended_urls=1, suspended_since_ms=AT_1402)
    lanes = [replace(gone, integration_id=f"l-{n:03}") for n in range(MOST_PROBLEMS)]
    beyond = [replace(gone, integration_id=f"m-{n}", vendor_id="v2") for n in range(3)]
    own = narrowed(judged((0, seen(*lanes, *beyond))), "v2")
    assert (own.ok, own.problems, own.uncounted) == (False, (), 3)
    assert own.text == "3 problems need somebody, too many to be listed: look at your queue."
    some = narrowed(judged((0, seen(*lanes[3:], *beyond, replace(beyond[0], integration_id="a-1")))), "v2")
    assert len(some.problems) + some.uncounted == 4
    assert some.text.endswith(" 3 more problems need somebody.")


def test_a_vendor_is_told_of_its_own_beyond_the_parts_of_one_cause() -> None:
    others = [broken(n) for n in range(MOST_PARTS)]
    own = narrowed(judged((0, seen(*others, replace(broken(999), vendor_id="v2")))), "v2")
    assert (own.ok, own.uncounted) == (False, 1)


def test_an_acknowledged_problem_is_silent_until_it_has_ended() -> None:
    said = judged((0, seen(broken())))
    said = acknowledged(said, {said.problems[0].id: Acknowledgement("ada", NOW)})
    later = verdict(at(seen(broken()), 5000), said, NOW + 5000)
    assert (later.ok, later.problems[0].severity) == (True, S.INFO)
    over = verdict(at(QUIET, 10_000), later, NOW + 10_000)
    again = verdict(at(seen(broken()), 15_000), over, NOW + 15_000)
    assert (again.ok, again.problems[0].severity) == (False, S.ACT)


def test_dead_letters_begin_with_the_oldest_that_is_left() -> None:
    two = seen(issues=(issue(1, 1, first_ms=AT_1402 - MINUTE), issue(1, 2)))
    said = judged((0, two), (5000, seen(issues=(issue(1, 2),))))
    assert said.problems[0].finding.since_ms == AT_1402


def test_a_store_that_is_away_leads_what_was_known() -> None:
    said = away(judged((0, seen(broken()))), AT_1402, NOW)
    assert kinds(said) == ["store_away", "circuit_open"]
    assert said.text.startswith("Redis takes no writes since 14:02 UTC")
    assert not away(None, NOW, NOW).ok


def test_a_vendor_sees_its_own_integrations_and_nothing_of_the_fleet() -> None:
    other = replace(broken(2), vendor_id="v2")
    issues = (issue(3), issue(4, 2, vendor_id="v2", name="Acme"))
    whole = judged((0, replace(SKEWED, lanes=(broken(), other), issues=issues, flow=FlowFacts(accepted=5))))
    own = narrowed(whole, "v2")
    assert {(one.finding.kind, one.finding.integration_id) for one in own.problems} == {
        (K.CIRCUIT_OPEN, "lane-2"),
        (K.DEAD_LETTERS, None),
    }
    assert [one.count for one in own.issues] == [4]
    assert "Acme" in next(one.finding.text for one in own.problems if one.finding.kind is K.DEAD_LETTERS)
    assert narrowed(whole, "v3").text == "All is well with your integrations."

"""`dispatcher bench`: what it says became of every event, when faults happen, and the picture it writes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from dispatcher.cli.bench.drawing import drawing
from dispatcher.cli.bench.faults import Fault, Faults, Mark, planned
from dispatcher.cli.bench.judging import Outcome, judged
from dispatcher.cli.bench.load import PAYLOAD_BYTES, Events, payload
from dispatcher.cli.bench.measuring import Run
from dispatcher.cli.bench.report import as_json, table_rows
from dispatcher.cli.bench.sending import Sent
from dispatcher.model.status import Status
from tests.cli.in_process import dispatcher

SENT = [
    Sent(10.0, 10.01, "came", 1),
    Sent(10.1, 10.12, "twice", 2),
    Sent(10.2, 10.21, "gone", 1),
    Sent(10.3, 10.31, "said-to-be-there", 1),
    Sent(10.4, 10.41, "waits", 1),
    Sent(10.5, 10.51, "dead", 1),
    Sent(10.6, 10.61, None, 1, "no such product", refused=True),
    Sent(10.7, 40.0, None, 9, "nobody answers"),
]
STATUSES = {
    "came": Status.SUCCEEDED,
    "twice": Status.SUCCEEDED,
    "said-to-be-there": Status.SUCCEEDED,
    "waits": Status.RETRYING,
    "dead": Status.DEAD,
}
ARRIVALS = [("came", 10.05), ("stranger", 10.06), ("twice", 10.6), ("twice", 11.6)]


def outcome(*, every: bool = True) -> Outcome:
    return judged(SENT, ARRIVALS, STATUSES, every=every)


def test_an_event_with_a_receipt_that_neither_came_nor_waits_is_lost() -> None:
    found = outcome()
    assert (found.sent, found.accepted, len(found.deliveries)) == (8, 6, 2)
    assert (found.lost, found.unfinished, found.failed) == (2, 1, 1)
    assert (found.refused, found.unanswered, found.asked_again) == (1, 1, 9)
    assert not found.well


def test_a_second_request_is_a_duplicate_where_every_request_was_seen() -> None:
    assert outcome().duplicates == 1
    assert outcome(every=False).duplicates is None


def test_latency_runs_from_the_intended_sending_to_the_first_arrival() -> None:
    assert [round(one) for one in outcome().latencies_ms] == [50, 500]
    assert round(outcome().accepts_ms[1]) == 20


def test_only_a_run_whose_every_receipt_was_kept_is_well() -> None:
    kept = judged(SENT[:2], ARRIVALS, STATUSES, every=True)
    assert kept.well
    assert not judged(SENT[6:], [], {}, every=True).well


def test_the_table_names_what_was_lost_and_why_there_was_no_receipt() -> None:
    rows = table_rows(Run(outcome(), (Mark(11.0, Fault.WORKER_KILLED),), 10.0))
    said = dict(rows)
    assert said["lost"] == "2 of 6"
    assert said["accepted"] == "6 (1 refused, 1 unanswered, 9 asked again)"
    assert said["latency from intended sending"] == "p50 50 ms, p95 500 ms, p99 500 ms, max 500 ms"
    assert said["fault"] == "worker killed after 1.0 s"
    assert ("no receipt", "1: nobody answers") in rows


def test_programs_get_the_same_figures() -> None:
    found = as_json(Run(outcome(), (Mark(11.0, Fault.WORKER_KILLED),), 10.0))
    assert (found["lost"], found["duplicates"], found["noReceipt"]["no such product"]) == (2, 1, 1)
    assert found["faults"] == [{"afterS": 1.0, "what": "worker killed"}]
    assert as_json(Run(judged([], [], {}, every=True), (), 0.0))["latencyMs"] == {}


@pytest.mark.parametrize("arrivals", [ARRIVALS, []])
def test_the_picture_is_svg_with_a_line_for_each_fault(arrivals: list[tuple[str, float]]) -> None:
    marks = (Mark(10.2, Fault.REDIS_RESTARTED), Mark(10.4, Fault.WORKER_KILLED))
    run = Run(judged(SENT, arrivals, STATUSES, every=True), marks, 10.0)
    texts = [one.text for one in ElementTree.fromstring(drawing(run)).iter() if one.tag.endswith("text")]
    assert {"Redis restarted", "worker killed", "0 s"} <= set(texts)


@pytest.mark.parametrize(("seconds", "kills"), [(1, 1), (10, 2), (600, 3)])
def test_faults_leave_time_for_what_they_ended_to_come_back(seconds: float, kills: int) -> None:
    plan = planned(seconds, Faults(kill_workers=True, restart_redis=True))
    assert [fault for _, fault in plan].count(Fault.WORKER_KILLED) == kills
    assert [fault for _, fault in plan].count(Fault.REDIS_RESTARTED) == 1
    assert all(0 < at_s < seconds for at_s, _ in plan)
    assert planned(seconds, Faults()) == []


def test_two_runs_never_meet_in_a_key_or_an_account() -> None:
    one, other = Events("P", 2), Events("P", 2)
    assert one.key(1) != other.key(1)
    assert one.event(3)["accountId"] == one.event(1)["accountId"] != other.event(1)["accountId"]
    assert len(str(payload(1)).encode()) > PAYLOAD_BYTES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--yes"),
        (("--yes", "--kill-workers"), "leave out --url"),
        (("--yes", "--integration", "A", "--host-url", "http://127.0.0.1:1/"), "host of its own"),
    ],
)
def test_a_deployment_that_is_not_its_own_gets_no_load_by_a_slip(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "plot.svg"
    given = ("--url", "http://127.0.0.1:1", "--client-id", "c", "--client-secret", "s", "--plot", str(plot))
    ended = dispatcher(capsys, "bench", *given, *arguments)
    assert (ended.status, said in ended.err, list(tmp_path.iterdir())) == (2, True, [])

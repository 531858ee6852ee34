"""The steps of a delivery that ask nobody: each takes the delivery and returns a small value."""

from __future__ import annotations

import pytest

from dispatcher.clock import MachineClock
from dispatcher.model.attempt import Outcome
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode, Integration, OutboundCredentials, Revision
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import Verdict
from dispatcher.policy.integration_filter.filter import compile_filter
from dispatcher.policy.notification.signing import generate_secret, parse_secret
from dispatcher.policy.notification.verification import verify
from dispatcher.store.queue.owning.claims import Claimed
from worker.delivery.deliver import decide, hidden, record, settle
from worker.delivery.delivery import Authorization, Decision, Delivery, Identity, Reading
from worker.delivery.sending import Sender
from worker.delivery.targets.target import Target

NOW_MS = 1_800_000_000_000
URL = "https://host.example/notifications"
SECRET = generate_secret()
IDENTITY = Identity("https://dispatcher.example", "ACME")


def target(schedule_s: tuple[float, ...] = (10.0, 100.0)) -> Target:
    revision = Revision(number=1, urls={"subscriptionChangeUrl": URL, "eventStatusUrl": URL})
    return Target(
        integration=Integration("I", 0, "", "Test", 1, 1, working=revision, published_revision=1),
        revision=revision,
        keys=((parse_secret(SECRET), None), (parse_secret(generate_secret()), NOW_MS)),
        credentials=OutboundCredentials(),
        token_key=None,
        fixed_headers={"Content-Type": "application/json", "X-Own": "kept"},
        secrets=(SECRET,),
        schedule_s=schedule_s,
        timeout_s=5.0,
        result_deadline_s=3600.0,
        answers=AnswerMode.AUTO,
        filter=compile_filter(None),
    )


def delivery(tries: int = 0, schedule_s: tuple[float, ...] = (10.0, 100.0)) -> Delivery:
    event = Event("E", EventType.SUBSCRIPTION_CHANGE, "I", 1, account_id="A", payload={"x": 1})
    claimed = Claimed(event, EventState(Status.QUEUED, NOW_MS, tries=tries), n=tries + 1, account_identifier="acme-1")
    return Delivery(claimed, target(schedule_s), URL, NOW_MS, 0.0)


def sender() -> Sender:
    return Sender(None, None, IDENTITY, MachineClock(lambda: NOW_MS / 1000))  # type: ignore[arg-type]


def wanting(status: Status, retry_after_s: float | None = None) -> Reading:
    return Reading(Verdict(Outcome.HTTP_ERROR, status, "TRANSPORT_ERROR", "HTTP 503"), 503, retry_after_s=retry_after_s)


@pytest.mark.parametrize(("tries", "least_ms", "most_ms"), [(0, 8_000, 12_000), (1, 80_000, 120_000)])
def test_another_attempt_is_due_by_the_schedule(tries: int, least_ms: int, most_ms: int) -> None:
    decision = decide(delivery(tries), wanting(Status.RETRYING), NOW_MS)
    assert decision.to is Status.RETRYING
    assert least_ms <= decision.delay_ms <= most_ms


def test_a_host_that_asks_for_more_time_gets_it() -> None:
    assert decide(delivery(), wanting(Status.RETRYING, 500.0), NOW_MS) == Decision(Status.RETRYING, 500_000)


@pytest.mark.parametrize("schedule_s", [(), (10.0,)])
def test_an_event_without_attempts_left_is_dead(schedule_s: tuple[float, ...]) -> None:
    made = delivery(tries=len(schedule_s), schedule_s=schedule_s)
    assert decide(made, wanting(Status.RETRYING), NOW_MS) == Decision(Status.DEAD)


def test_a_result_is_awaited_until_its_deadline() -> None:
    assert decide(delivery(), wanting(Status.AWAITING_RESULT), NOW_MS) == Decision(Status.AWAITING_RESULT, 3_600_000)


def test_a_terminal_verdict_stands() -> None:
    assert decide(delivery(), wanting(Status.FAILED), NOW_MS) == Decision(Status.FAILED)


def test_headers_and_body_are_written_once_and_signed_at_each_try() -> None:
    made = delivery()
    sender().prepare(made)
    body = made.body
    assert sender().sign(made) == NOW_MS
    assert made.body is body
    assert made.headers["x-delivery-attempt"] == "1"
    assert made.headers["X-Own"] == "kept"
    assert len(made.headers["webhook-signature"].split()) == 1, "a key signs until its overlap ends"
    found = verify(
        [parse_secret(SECRET)],
        made.headers["webhook-id"],
        made.headers["webhook-timestamp"],
        made.headers["webhook-signature"],
        made.body,
        now_s=NOW_MS / 1000,
    )
    assert found.genuine, found


def test_targets_share_no_headers_with_what_is_sent() -> None:
    made = delivery()
    sender().prepare(made)
    sender().sign(made)
    assert made.target.fixed_headers == {"Content-Type": "application/json", "X-Own": "kept"}


def test_neither_secrets_nor_the_token_are_kept_of_an_answer_that_repeats_them() -> None:
    made = delivery()
    said = f"token t0k3n-v4lue and {SECRET}"
    verdict = Verdict(Outcome.REFUSED, Status.FAILED, "UNAUTHORIZED", said)
    reading = Reading(verdict, 200, said.encode(), authorization=Authorization("t0k3n-v4lue", True))
    assert set(hidden(made, reading)) == {SECRET, "t0k3n-v4lue"}
    attempt = record(made, reading, "worker-1")
    assert attempt.token_fetched
    for text in (attempt.error_detail, attempt.response_body):
        assert text is not None
        assert "t0k3n-v4lue" not in text
        assert SECRET not in text


def test_a_settlement_says_what_is_written_and_whom_to_notify() -> None:
    made, reading = delivery(), wanting(Status.FAILED)
    attempt = record(made, reading, "worker-1")
    settlement = settle(made, Decision(Status.FAILED), reading.verdict, attempt, NOW_MS)
    assert settlement.claimed is made.claimed
    assert (settlement.to, settlement.attempt, settlement.error_code) == (Status.FAILED, attempt, "TRANSPORT_ERROR")
    assert settlement.notification is not None
    assert settlement.notification.type is EventType.SUBSCRIPTION_STATUS
    assert settle(made, Decision(Status.RETRYING), reading.verdict, attempt, NOW_MS).notification is None

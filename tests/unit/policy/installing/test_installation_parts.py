"""Versions, purchase forms, secrets among settings, URLs that are shown, answers about steps: pure rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import EventState
from dispatcher.model.integration import OrderFormField
from dispatcher.model.status import Status
from dispatcher.policy.addresses.local_urls import is_shown_url
from dispatcher.policy.answers.steps import Answered, essence, read_step_answer
from dispatcher.policy.installing.purchase_forms import answer_problems
from dispatcher.policy.installing.versions import is_higher
from dispatcher.policy.secrets.setting_secrets import MASK, masked, secrets_of, with_secrets


@pytest.mark.parametrize(
    ("version", "than", "higher"),
    [
        ("1.0.2", "1.0.1", True),
        ("1.0.1", "1.0.1", False),
        ("1.0.0", "1.0.1", False),
        ("1.0.10", "1.0.9", True),
        ("1.1", "1.0.9", True),
        ("1.0.0", "1.0", True),
        ("v2", "1.9", True),
        ("1.0.0", "1.0.0-beta", True),
        ("1.0.0-beta.2", "1.0.0-beta.10", False),
        ("²", "1", False),
        ("anything", None, True),
        ("9" * 40, "1", False),
    ],
)
def test_versions_are_compared_as_people_count(version: str, than: str | None, higher: bool) -> None:
    assert is_higher(version, than) is higher


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("TEXT", "anything", {"a": 1}),
        ("TEXT_AREA", "x" * 4096, "x" * 4097),
        ("NUMBER", "12,5", "twelve"),
        ("NUMBER", 12, True),
        ("BOOLEAN", "true", "maybe"),
        ("DATE", "2026-02-28", "2026-02-30"),
        ("EMAIL", "sam@customer.example", "sam@customer"),
        ("PHONE", "+49 30 1234", "call me"),
        ("URL", "https://a.example/x", "javascript:alert(1)"),
        ("unknown", "text", ["list"]),
    ],
)
def test_answers_fit_their_field(kind: str, good: Any, bad: Any) -> None:
    fields = [OrderFormField("f", "Field", kind)]
    assert answer_problems(fields, {"f": good}, required=True) == []
    [problem] = answer_problems(fields, {"f": bad}, required=True)
    assert (problem.code, problem.field) == ("invalid_value", "configuration.f")


def test_only_required_answers_may_be_missing_and_only_where_they_are_asked_for() -> None:
    fields = [OrderFormField("a", required=True), OrderFormField("b")]
    assert [one.field for one in answer_problems(fields, {"a": ""}, required=True)] == ["configuration.a"]
    assert answer_problems(fields, {}, required=False) == []


SETTINGS = {
    "sections": [{"fields": [{"name": "key", "type": "Password", "value": "p"}, {"name": "n", "value": "plain"}]}],
    "encrypted": {"a": {"b": "s"}, "list": ["t", 1]},
    "password": "shown",
}


def test_secrets_are_fields_that_say_so_and_what_is_called_encrypted() -> None:
    assert secrets_of(SETTINGS) == {"field:key": "p", ".encrypted.a.b": "s", ".encrypted.list.0": "t"}
    shown = masked(SETTINGS)
    assert shown["sections"][0]["fields"] == [
        {"name": "key", "type": "Password", "value": MASK},
        {"name": "n", "value": "plain"},
    ]
    assert shown["encrypted"] == {"a": {"b": MASK}, "list": [MASK, 1]}
    assert shown["password"] == "shown"
    assert with_secrets(SETTINGS, lambda _, text: text) == SETTINGS


def test_a_field_is_known_by_its_name_wherever_it_stands() -> None:
    moved = {"more": [1], "sections": [{}, {"fields": [{"type": "secret", "name": "key", "value": "p"}]}]}
    assert secrets_of(moved) == {"field:key": "p"}


@pytest.mark.parametrize("text", ["", "/images/x.png", "https://a.example/x", "http://a.example"])
def test_people_are_led_to_the_web_and_to_this_server(text: str) -> None:
    assert is_shown_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "//evil.example",
        "data:text/html,x",
        "https://u:p@a.example",
        "https://",
        "a b",
        "\\x",
        "x",
    ],
)
def test_people_are_led_nowhere_else(text: str) -> None:
    assert not is_shown_url(text)


def state(status: Status, **more: Any) -> EventState:
    return EventState(status, 1, **more)


def attempt(body: str | None = None, http_status: int = 200, outcome: Outcome = Outcome.OK) -> list[Attempt]:
    return [Attempt(1, 1, 1.0, "https://h.example", outcome, http_status, response_body=body)]


@pytest.mark.parametrize("status", [Status.QUEUED, Status.HELD, Status.DELIVERING, Status.RETRYING])
def test_a_call_that_goes_on_has_no_answer(status: Status) -> None:
    assert read_step_answer(state(status), []) is None


@pytest.mark.parametrize(
    ("body", "updates"),
    [
        ('{"success":true}', None),
        ("not json", None),
        ('{"success":true,"stepsToUpdate":[]}', {}),
        ('{"stepsToUpdate":[{"installerFunction":"f","completed":true},{"completed":true},7]}', {"f": True}),
        ('{"stepsToUpdate":[{"installerFunction":"f","completed":"yes"}]}', {}),
    ],
)
def test_the_host_says_which_steps_are_done(body: str, updates: dict[str, bool] | None) -> None:
    answer = read_step_answer(state(Status.SUCCEEDED), attempt(body))
    assert answer is not None
    assert (answer.answered, answer.updates) == (Answered.DONE, updates)


def test_an_answer_is_kept_without_what_nobody_reads_of_it() -> None:
    step = {"installerFunction": "f", "completed": True}
    spaced = b'{\n  "success": true,\n  "more": [1, 2]\n}'
    assert essence(spaced) == b'{"success":true,"more":[1,2]}'
    long = {"success": True, "more": "x" * 5000, "stepsToUpdate": [step | {"name": "n"}], "errors": ["Not yet."]}
    kept = json.loads(essence(json.dumps(long).encode()))
    assert (kept["success"], kept["stepsToUpdate"], kept["errors"][0]["message"]) == (True, [step], "Not yet.")
    assert "more" not in kept
    for other in (b"not json", b"[1, 2]", b"\xff", b""):
        assert essence(other) == other


@pytest.mark.parametrize(
    ("status", "attempts", "answered"),
    [
        (state(Status.AWAITING_RESULT), [], Answered.LATER),
        (state(Status.SKIPPED), [], Answered.REFUSED),
        (state(Status.FAILED), attempt('{"success":false}', outcome=Outcome.REFUSED), Answered.REFUSED),
        (state(Status.FAILED), attempt(None, 403, Outcome.HTTP_ERROR), Answered.REFUSED),
        (state(Status.FAILED), attempt(None, 429, Outcome.HTTP_ERROR), Answered.AWAY),
        (state(Status.FAILED), attempt(None, 500, Outcome.HTTP_ERROR), Answered.AWAY),
        (state(Status.FAILED, asynchronous=True), attempt(None, 202, Outcome.ACCEPTED), Answered.REFUSED),
        (state(Status.FAILED), [], Answered.AWAY),
        (state(Status.EXPIRED), attempt(None, 202, Outcome.ACCEPTED), Answered.AWAY),
        (state(Status.RESOLVED), [], Answered.AWAY),
    ],
)
def test_every_other_end_is_a_refusal_or_nobodys_word(
    status: EventState, attempts: list[Attempt], answered: Answered
) -> None:
    answer = read_step_answer(status, attempts)
    assert answer is not None
    assert answer.answered is answered
    assert answered is Answered.LATER or answer.problems

"""Actions of problems: lines that a shell takes as they are, or words that say that they are none."""

from __future__ import annotations

import shlex

from dispatcher.cli.main import VERBS
from dispatcher.model.verdict import Action
from dispatcher.policy.verdict import actions

MADE = [
    *(one for one in vars(actions).values() if isinstance(one, Action)),
    *(make("9d2c") for make in (actions.pause, actions.resume, actions.try_now, actions.why, actions.try_credentials)),
    actions.redeliver(2),
    actions.acknowledge("failing:9d2c:a topic"),
]


def test_every_command_is_one_of_ours_without_a_gap_and_all_else_is_advice() -> None:
    verbs = {verb.name for verb in VERBS}
    for action in MADE:
        if action.is_advice:
            assert not action.command.startswith("dispatcher ")
            continue
        name, verb, *_ = shlex.split(action.command)
        assert (name, verb in verbs, "…" in action.command) == ("dispatcher", True, False), action


def test_what_a_request_needs_is_its_body() -> None:
    assert actions.pause("9d2c").body == {"reason": "host is down", "for": "2h"}
    assert actions.redeliver(2).body == {"filter": "status:dead,expired"}
    assert actions.acknowledge("failing:a b").path == "/v1/status/problems/failing%3Aa%20b/acknowledge"

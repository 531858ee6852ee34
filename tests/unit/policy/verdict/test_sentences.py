"""Each kind of problem: the sentence, the severity and its action."""

from __future__ import annotations

import pytest

from dispatcher.model.troubles import (
    Snapshot,
)
from dispatcher.model.verdict import ProblemKind, Severity
from dispatcher.policy.verdict.rules import RULES
from tests.unit.policy.verdict.deployment_sentences import OF_DEPLOYMENT
from tests.unit.policy.verdict.host_sentences import OF_HOSTS
from tests.unit.policy.verdict.scenes import (
    found,
)
from tests.unit.policy.verdict.upkeep_sentences import OF_UPKEEP

SENTENCES = [*OF_DEPLOYMENT, *OF_HOSTS, *OF_UPKEEP]


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

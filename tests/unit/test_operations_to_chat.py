"""The example that turns operational events into chat messages says every kind in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.operational import OperationalKind
from examples.operations_to_chat import SENTENCES, sentence


def event(kind: str, **data: Any) -> Any:
    return {"id": "e1", "type": kind, "data": {"integrationId": "i1", "count": 1} | data}


def test_every_sentence_is_of_an_event_that_there_is() -> None:
    assert set(SENTENCES) <= {kind.value for kind in OperationalKind}


@pytest.mark.parametrize("kind", OperationalKind)
def test_every_kind_is_said_although_fields_are_missing(kind: OperationalKind) -> None:
    assert sentence(event(kind.value))


def test_a_problem_is_said_in_the_words_of_the_verdict() -> None:
    opened = event("problem.opened", integrationId=None, severity="page", text="Redis is full in 5 h.")
    assert sentence(opened) == "[page] Redis is full in 5 h."


def test_several_are_counted() -> None:
    assert sentence(event("circuit.closed", count=3)) == "i1 can be reached again. (3 of them)"

"""Bulk actions in words that can be read at once."""

from __future__ import annotations

import pytest

from dispatcher.console.bulk.words import counted, number_of
from dispatcher.model.redelivery import BulkAction


@pytest.mark.parametrize(
    ("action", "count", "exact", "words"),
    [
        (BulkAction.REDELIVER, 1, True, "Redeliver 1 event"),
        (BulkAction.DELIVER_NOW, 8, True, "Deliver 8 events now"),
        (BulkAction.RESOLVE, 50_000, False, "Resolve 50,000 or more events"),
    ],
)
def test_an_action_is_told_with_its_number(action: BulkAction, count: int, exact: bool, words: str) -> None:
    assert counted(action, number_of(count, exact=exact)) == words

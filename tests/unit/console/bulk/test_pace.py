"""The pace of a bulk action as its preview tells it."""

from __future__ import annotations

import pytest

from dispatcher.console.bulk.pace import pace
from dispatcher.flow.events.acting.bulk_preview import NOTHING, IntegrationShare, Preview

FREE, SLOW, FAST = (IntegrationShare(name, 10, rate) for name, rate in (("a", None), ("b", 0.5), ("c", 1500.0)))


@pytest.mark.parametrize(
    ("shares", "rate", "said"),
    [
        ((FREE,), None, "No rate bounds it: it goes as fast as the hosts answer."),
        ((FREE,), 50.0, "It goes at 50 events a second."),
        ((FREE, SLOW), 0.25, "It goes at 0.25 events a second, where an integration's own limit is not lower."),
        ((SLOW,), None, "Its integration's own limit of 0.5 a second paces it."),
        ((SLOW, FAST), None, "The integrations' own limits of 1,500 a second in all pace it."),
        (
            (FREE, SLOW),
            None,
            "Own limits of 0.5 a second pace 10 of them; the others go as fast as their hosts answer.",
        ),
    ],
)
def test_the_rate_that_will_be_used_is_told(
    shares: tuple[IntegrationShare, ...], rate: float | None, said: str
) -> None:
    assert pace(Preview(NOTHING, shares, None), rate) == said

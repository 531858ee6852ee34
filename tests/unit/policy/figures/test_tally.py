"""Figures of a span as they are read off."""

from __future__ import annotations

import pytest

from dispatcher.policy.figures.tally import MEASURES, SUMS, WIDTH, percentile


@pytest.mark.parametrize("measure", MEASURES)
def test_a_sum_without_observations_has_no_percentile(measure: str) -> None:
    """Symptom: the overview answered 500 for an hour after a restart."""
    figures = [0] * WIDTH
    figures[SUMS + MEASURES.index(measure)] = 7_000
    assert percentile(figures, measure, 0.5) is None

"""Draws the ratios with their goals. Needs matplotlib, which only developers install."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.results.figures import Figure

GOOD, BAD, PLAIN = "#2e7d32", "#c62828", "#546e7a"


def draw(figures: Sequence[Figure], path: Path) -> bool:
    """False when matplotlib is not installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    mpl.use("svg")
    from matplotlib import pyplot

    measured = [one for one in figures if _bar(one) is not None]
    picture, axes = pyplot.subplots(figsize=(9, 0.55 * len(measured) + 1.2))
    places = range(len(measured))
    widths = [_bar(one) or 0.0 for one in measured]
    axes.barh(places, widths, color=[GOOD if one.met else BAD if one.met is False else PLAIN for one in measured])
    axes.set_yticks(places, [one.name for one in measured])
    axes.invert_yaxis()
    axes.axvline(1.0, color="black", linewidth=1)
    for position, (one, width) in enumerate(zip(measured, widths, strict=True)):
        axes.text(width, position, f" {one.value:,.4g} {one.unit}, goal {one.goal}", va="center", fontsize=8)
    axes.set_xlim(0, max([1.2, *widths]) * 1.5)
    axes.set_xlabel("measured ÷ goal (line: the goal); green = met")
    picture.tight_layout()
    picture.savefig(path)
    pyplot.close(picture)
    return True


def _bar(one: Figure) -> float | None:
    """The figure as a share of its goal."""
    if one.goal is None:
        return None
    return (one.value if one.ratio is None else one.ratio) / one.goal.bound

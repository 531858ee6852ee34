"""The latest of what was read stays in memory, and all of it together stays small."""

from __future__ import annotations

from dispatcher.store.archive.reading.kept import Kept


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept = Kept[str](10)
    for key in "abc":
        kept.keep(key, key.upper(), 3)
    assert kept.get("a") == "A"
    kept.keep("d", "D", 4)
    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    kept.keep("a", "another", 3)
    assert kept.get("a") == "A"


def test_one_that_is_too_heavy_is_kept_alone() -> None:
    kept = Kept[str](10)
    kept.keep("a", "A", 3)
    kept.keep("b", "B", 30)
    assert (kept.get("a"), kept.get("b")) == (None, "B")
    kept.keep("c", "C", 3)
    assert (kept.get("b"), kept.get("c")) == (None, "C")

"""The documentation site shows every page in one place, and loads nothing from elsewhere. `make site` builds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def named(entries: list[Any]) -> Iterator[str]:
    """Pages of a navigation, in order."""
    for entry in entries:
        for inner in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [inner] if isinstance(inner, str) else named(inner)


def test_every_page_has_one_place_in_the_navigation() -> None:
    counted = Counter(name for name in named(CONFIG["nav"]) if not name.startswith("project/"))
    assert counted == Counter(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


def test_pages_of_the_project_in_the_navigation_are_there() -> None:
    outside = [name.removeprefix("project/") for name in named(CONFIG["nav"]) if name.startswith("project/")]
    assert [name for name in outside if not (ROOT / name).exists()] == []


def test_pages_load_nothing_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False
    assert CONFIG["plugins"] == ["search"]
    assert CONFIG["strict"] is True
    assert [one for one in CONFIG["extra_css"] if "//" in one or not (ROOT / "docs" / one).exists()] == []

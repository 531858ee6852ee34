"""The documentation site shows every page in one place, and loads nothing from elsewhere. `make site` builds it."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
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


def shown(place: str, markdown: str) -> str:
    """The hook's version of a page at this place of the site."""
    specification = importlib.util.spec_from_file_location("repository", ROOT / CONFIG["hooks"][0])
    assert specification
    assert specification.loader
    hook = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(hook)
    page = SimpleNamespace(file=SimpleNamespace(src_uri=place))
    return str(hook.on_page_markdown(markdown, page, None, None))


@pytest.mark.parametrize(
    ("place", "written", "link"),
    [
        ("api.md", "errors.md#busy", "errors.md#busy"),
        ("api.md", "../README.md#quick-start", "project/README.md#quick-start"),
        ("api.md", "../examples/product_host.py", "project/examples/product_host.py.md"),
        ("tutorials/operator.md", "../../README.md", "../project/README.md"),
        ("project/README.md", "docs/api.md", "../api.md"),
        ("project/README.md", "LICENSE", "LICENSE.md"),
        ("project/tests/faults/README.md", "../../docs/api.md", "../../../api.md"),
        ("api.md", "https://example.com/a.md", "https://example.com/a.md"),
    ],
)
def test_links_of_the_repository_lead_to_pages_of_the_site(place: str, written: str, link: str) -> None:
    assert shown(place, f"[a]({written})") == f"[a]({link})"


def test_blocks_lose_the_word_that_is_for_tests() -> None:
    assert shown("api.md", "```sh tutorial\na b\n```\n```json\n{}\n```") == "```sh\na b\n```\n```json\n{}\n```"

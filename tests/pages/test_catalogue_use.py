"""Pages take every text from the catalogue, and the catalogue holds no text that no page shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dispatcher.pages.messages import messages

ROOT = Path(__file__).parents[2] / "dispatcher"
ROOMS = ("marketplace", "pages", "portal")
TEMPLATES = sorted(path for room in ROOMS for path in (ROOT / room / "templates").rglob("*.html"))
SOURCES = [*TEMPLATES, *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
KEY = re.compile(r'"([a-z_]+(?:\.[A-Za-z0-9_]+)+)"')
WORD = re.compile(r"[A-Za-z]{2,}")
SAID_BY = {"alt", "title", "placeholder", "aria-label", "content"}
COMPOSED = ("link.", "history.", "problem.", "field.", "time.", "portal.")
"""Sections whose keys are put together of what happens."""


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found += WORD.findall(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.found += [word for name, value in attrs if name in SAID_BY for word in WORD.findall(value or "")]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_in_a_template(path: Path) -> None:
    plain = re.sub(r"{% set common %}.*?{% endset %}|{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text(), flags=re.DOTALL)
    texts = Texts()
    texts.feed(plain)
    assert texts.found == []


def test_every_key_that_is_used_is_there_and_none_else() -> None:
    known = messages("en").texts.keys()
    sections = {key.partition(".")[0] for key in known}
    used = {key for path in SOURCES for key in KEY.findall(path.read_text()) if key.partition(".")[0] in sections}
    files = {key for key in used if key.endswith((".html", ".css", ".js"))}
    assert {key for key in used - files if key not in known} == set()
    assert {key for key in known - used if not key.startswith(COMPOSED)} == set()

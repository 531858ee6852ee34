"""Generated pages are what the code says now, and each section of them can be linked to."""

from __future__ import annotations

import re

import pytest

from tests.docs.reference.pages import DOCS, GENERATED


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text() == GENERATED[name](), "run: make reference"


@pytest.mark.parametrize("name", GENERATED)
def test_anchors_of_a_generated_page_are_unique(name: str) -> None:
    titles = re.findall(r"^#+ (.+)$", (DOCS / name).read_text(), re.MULTILINE)
    assert len({title.lower() for title in titles}) == len(titles)

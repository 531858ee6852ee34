"""Names and short texts from outside: how long they may be, and what they may not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dispatcher.errors import Problem

MAX_NAME_CHARS = 255
_BLANKS = " \t\r\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def has_control_characters(text: str) -> bool:
    return _CONTROL.search(text) is not None


def has_blank_ends(text: str) -> bool:
    """Blanks or line ends around it, as copying and files leave them."""
    return text != text.strip(_BLANKS)


def has_inner_control_characters(text: str) -> bool:
    return has_control_characters(text.strip(_BLANKS))


def name_problems(name: str, field: str, most: int = MAX_NAME_CHARS) -> Iterator[Problem]:
    """A name or an id: 1 to ``most`` characters, none of them a control character, and not only blanks."""
    if not name.strip() or len(name) > most or has_control_characters(name):
        yield Problem("invalid_text", f"{field} must have 1 to {most} printable characters.", field)


def too_long(field: str, most: int) -> Problem:
    return Problem("too_long", f"At most {most} characters.", field)

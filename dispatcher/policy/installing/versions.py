"""The higher one of two versions of an installation: numbers between dots, as people count them. Pure."""

from __future__ import annotations

import re

_PART = re.compile(r"[0-9]+|[^0-9.]+")
_DIGITS = 18
"""Of a number that is compared as one."""


def is_higher(version: str, than: str | None) -> bool:
    """``1.0.10`` is higher than ``1.0.9``, and any is higher than none; a release is higher than its ``1.0.0-beta``."""
    return than is None or _key(version) > _key(than)


def _key(version: str) -> tuple[tuple[int, int, str], ...]:
    release, _, before = version.strip().removeprefix("v").partition("-")
    end = (1, 0, "") if not before else (0, 0, "")
    return (*_parts(release), (0, 0, ""), end, *_parts(before))


def _parts(text: str) -> list[tuple[int, int, str]]:
    return [(2, int(part), "") if _is_number(part) else (1, 0, part) for part in _PART.findall(text)]


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= _DIGITS

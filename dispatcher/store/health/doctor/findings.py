"""Findings of the doctor: values, each with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; ``text`` holds the remedy when ``level`` is not OK."""

    name: str
    level: Level
    text: str

"""Of a prelude only what a script needs: Redis makes each of its functions anew for every call. No I/O.

A prelude is a list of statements. One is a line, or a ``local function`` as far as the line that is ``end``; between
them stand blank lines and comments. ``local`` names what it makes; what makes nothing is needed by every script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MADE = re.compile(r"local (?:function )?(\w+(?:, \w+)*)")
_WORD = re.compile(r"[A-Za-z_]\w*")


class _Statement(NamedTuple):
    text: str
    makes: frozenset[str]

    @property
    def words(self) -> set[str]:
        return set(_WORD.findall(self.text))


def needed(prelude: str, script: str) -> str:
    """The statements that ``script`` names, and those that these name in turn, in their order."""
    statements = list(_statements(prelude))
    words = set(_WORD.findall(script)).union(*(one.words for one in statements if not one.makes))
    kept: list[str] = []
    for one in reversed(statements):  # each names only what is made before it
        if not one.makes or one.makes & words:
            words |= one.words
            kept.append(one.text)
    return "".join(f"{text}\n" for text in reversed(kept))


def _statements(prelude: str) -> Iterator[_Statement]:
    lines = iter(prelude.splitlines())
    for line in lines:
        if not line or line.startswith("--"):
            continue
        text = line
        if line.startswith("local function ") and not line.endswith(" end"):
            for inner in lines:
                text += f"\n{inner}"
                if inner == "end":
                    break
        made = _MADE.match(line)
        yield _Statement(text, frozenset(made[1].split(", ")) if made else frozenset())

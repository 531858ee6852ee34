"""A marketplace's accent as a style that can be read in both schemes. Pure arithmetic on ``#rrggbb``."""

from __future__ import annotations

import re
from functools import lru_cache

_ACCENT = re.compile(r"#[0-9a-fA-F]{6}")
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_PANEL_DARK = (22, 28, 37)
_TEXT_ON_DARK_ACCENT = (14, 18, 24)
LEAST_CONTRAST = 4.5
"""Of text (WCAG 2.2, 1.4.3)."""
_STEPS = 50

Colour = tuple[int, int, int]


@lru_cache(maxsize=256)
def accent_style(accent: str | None) -> str | None:
    """The text of a style element; None = the accent of the style sheet."""
    if accent is None or not _ACCENT.fullmatch(accent):
        return None
    given = (int(accent[1:3], 16), int(accent[3:5], 16), int(accent[5:7], 16))
    return f":root{{{_light(given)}}}@media (prefers-color-scheme:dark){{:root{{{_dark(given)}}}}}"


def contrast(one: Colour, other: Colour) -> float:
    """1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _light(given: Colour) -> str:
    accent = _legible(given, _WHITE, _BLACK)
    soft = _mixed(_WHITE, accent, 0.08)
    return _tokens(accent, _legible(accent, soft, _BLACK), soft, _WHITE)


def _dark(given: Colour) -> str:
    soft = _mixed(_PANEL_DARK, given, 0.18)
    accent = _legible(_legible(given, soft, _WHITE), _TEXT_ON_DARK_ACCENT, _WHITE)
    return _tokens(accent, accent, soft, _TEXT_ON_DARK_ACCENT)


def _tokens(accent: Colour, text: Colour, soft: Colour, on_accent: Colour) -> str:
    named = {"accent": accent, "accent-text": text, "accent-soft": soft, "on-accent": on_accent}
    return ";".join(f"--{name}:#{red:02x}{green:02x}{blue:02x}" for name, (red, green, blue) in named.items())


def _legible(colour: Colour, background: Colour, towards: Colour) -> Colour:
    """The colour, moved as little as needed until it can be read on the background."""
    for step in range(_STEPS):
        moved = _mixed(colour, towards, step / _STEPS)
        if contrast(moved, background) >= LEAST_CONTRAST:
            return moved
    return towards


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

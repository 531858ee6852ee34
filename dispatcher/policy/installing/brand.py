"""The looks that a marketplace may have: colours that can be read, images that load and run nothing. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from dispatcher.errors import Problem
from dispatcher.model.marketplace import Brand
from dispatcher.policy.addresses.launch_urls import MAX_URL_CHARS, is_local_path, launch_url

MIN_CONTRAST = 4.5
"""Of text on white, and of white on the accent (WCAG 2.2, 1.4.3)."""
MAX_LOGO_CHARS = 65_536

_ACCENT = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_DATA = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)(?:;charset=[A-Za-z0-9-]+)?(;base64)?,(.*)", re.DOTALL)
_DECLARES = re.compile(rb"<!(doctype|entity)|<\?xml-stylesheet", re.IGNORECASE)
_RUNS = frozenset({"script", "foreignobject", "iframe", "object", "embed", "handler", "listener", "set", "animate"})
_REMOTE_STYLE = re.compile(r"url\(\s*['\"]?(?!#|data:image/)|@import|expression\(|javascript:", re.IGNORECASE)


def brand_problems(brand: Brand) -> Iterator[Problem]:
    """Everything wrong with it, field by field."""
    if brand.accent is not None:
        yield from _accent_problems(brand.accent)
    if brand.language is not None and not _LANGUAGE.fullmatch(brand.language):
        text = "Give a language tag such as en or de-CH (RFC 5646)."
        yield Problem("invalid_value", text, "brand.language")
    if brand.logo is not None and (why := image_refusal(brand.logo)):
        yield Problem("invalid_value", why, "brand.logo")


def contrast_on_white(accent: str) -> float:
    """1 to 21, of a colour ``#rrggbb`` (WCAG 2.2, relative luminance)."""
    channels = [int(accent[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def image_refusal(text: str, *, remote: bool = False) -> str | None:
    """The reason why pages cannot show it: only ``data:`` images and paths of this server are shown. None = they can.

    ``remote``: an http or https address is taken as well; pages show a letter in its place.
    """
    if remote and launch_url(text):
        return None if len(text) <= MAX_URL_CHARS else f"Give at most {MAX_URL_CHARS} characters."
    if len(text) > MAX_LOGO_CHARS:
        return f"Give an image of at most {MAX_LOGO_CHARS} characters."
    if is_local_path(text):
        return None
    data = _DATA.fullmatch(text)
    if data is None:
        return "Give the image itself, as data:image/png;base64,…, or a path on this server: pages load nothing else."
    content = _content(data[3], coded=data[2] is not None)
    if content is None:
        return "The image is not valid base64."
    return _svg_refusal(content) if data[1] == "svg+xml" else None


def _accent_problems(accent: str) -> Iterator[Problem]:
    if not _ACCENT.fullmatch(accent):
        yield Problem("invalid_value", "Give a colour as #rrggbb.", "brand.accent")
    elif (contrast := contrast_on_white(accent)) < MIN_CONTRAST:
        text = (
            f"Its contrast on white is {contrast:.2f}:1, and {MIN_CONTRAST}:1 is needed to be read: take a darker one."
        )
        yield Problem("contrast_too_low", text, "brand.accent")


def _content(text: str, *, coded: bool) -> bytes | None:
    plain = unquote_to_bytes(text)
    if not coded:
        return plain
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return None


def _svg_refusal(content: bytes) -> str | None:
    if _DECLARES.search(content):
        return "An SVG may declare no entities and no style sheets."
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - entities are refused above
    except (ElementTree.ParseError, ValueError):
        return "The SVG cannot be parsed."
    return next((why for element in root.iter() if (why := _element_refusal(element))), None)


def _element_refusal(element: ElementTree.Element) -> str | None:
    name = str(element.tag).rpartition("}")[2].lower()
    if name in _RUNS:
        return f"An SVG may not hold <{name}>."
    if name == "style" and _REMOTE_STYLE.search(element.text or ""):
        return "An SVG may load nothing."
    for attribute, value in element.attrib.items():
        plain = attribute.rpartition("}")[2].lower()
        if plain.startswith("on"):
            return f"An SVG may not run anything ({plain})."
        if plain in ("href", "src") and not value.startswith(("#", "data:image/png", "data:image/jpeg")):
            return "An SVG may load nothing."
        if _REMOTE_STYLE.search(value):
            return "An SVG may load nothing."
    return None

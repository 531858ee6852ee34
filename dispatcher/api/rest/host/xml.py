"""JSON values as XML for hosts that ask for it, in the form that hosts of such marketplaces parse. Never parses XML."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dispatcher.model.exact_numbers import ExactNumber

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, not even escaped."""
_KEPT = {"\r": "&#13;"}
"""Parsers make a line feed of it otherwise (XML 1.0 §2.11)."""
_LITERALS = {None: "", True: "true", False: "false"}


def to_xml(name: str, value: Any) -> bytes:
    """A document whose root is ``name``; list items repeat as ``item``, odd names become ``entry key="…"``.

    An order's items repeat without ``items`` around them; a ``configuration`` holds entries of key and value.
    """
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _element(name, value).encode()


def prefers_xml(accept: str) -> bool:
    """True for an Accept header that ranks ``application/xml`` or ``text/xml`` above JSON (RFC 9110 §12.5.1)."""
    weights = dict(_weighted(part) for part in accept.split(","))
    rest = max(weights.get("application/*", 0.0), weights.get("*/*", 0.0))
    xml = max(weights.get("application/xml", 0.0), weights.get("text/xml", 0.0))
    return xml > weights.get("application/json", rest)


def _weighted(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    return media, float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0


def _element(name: str, value: Any) -> str:
    tag, attribute = (name, "") if _NAME.fullmatch(name) else ("entry", f" key={quoteattr(_clean(name))}")
    content = _entries(value) if name == "configuration" and isinstance(value, dict) else _content(value, name)
    return f"<{tag}{attribute}>{content}</{tag}>" if content else f"<{tag}{attribute}/>"


def _entries(value: dict[str, Any]) -> str:
    return "".join(f"<entry>{_element('key', key)}{_element('value', inner)}</entry>" for key, inner in value.items())


def _content(value: Any, within: str) -> str:
    if isinstance(value, dict):
        return "".join(_member(within, name, inner) for name, inner in value.items())
    if isinstance(value, list):
        return "".join(_element("item", inner) for inner in value)
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    return escape(_clean(value.text if isinstance(value, ExactNumber) else str(value)), _KEPT)


def _member(within: str, name: str, value: Any) -> str:
    if (within, name) == ("order", "items") and isinstance(value, list):
        return _content(value, name)
    return _element(name, value)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)

"""Reads the fields of a host's answer, JSON or XML. Never raises on hostile bytes and never expands an entity.

The answer is at most 64 KiB of one object: a JSON object, or an XML root whose children are the fields. What is not
quite JSON or XML is read as far as it can be: a host that says no is not misread for a comma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.parsers import expat

import orjson

from dispatcher.policy.answers.tolerant_json import TopLevel, read_top_level

MAX_ANSWER_BYTES = 65_536
MAX_XML_DEPTH = 16
MAX_XML_ELEMENTS = 1_000

Fields = Mapping[str, object]

_CHARSETS: Mapping[str, str] = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252",
}
"""Charsets that are read, by the name that hosts declare; any other is tried as UTF-8."""

_CONTENT_TYPE_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w-]{1,32})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w-]{1,32})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,256}\?>")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_FORBIDDEN_XML = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class BodyReading(NamedTuple):
    """A body as it was read. ``fields`` None: it holds no object.

    ``denies``: some ``success`` in it is false. ``odd``: it begins as JSON or XML does and is neither.
    """

    fields: Fields | None = None
    denies: bool = False
    odd: bool = False


_NOTHING = BodyReading()


def read_fields(body: bytes, content_type: str | None = None) -> Fields | None:
    """Field names and values as the host sent them, or None when there is no object to read."""
    return read_answer(body, content_type).fields


def read_answer(body: bytes, content_type: str | None = None) -> BodyReading:
    """As ``read_fields``, with what was odd about it. Of a body that was cut off, the part that is there."""
    if not body or len(body) > MAX_ANSWER_BYTES:
        return _NOTHING
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_text(_decoded(body, content_type).strip())
    return _read_object(value, body) if isinstance(value, dict) else _NOTHING


def _read_object(value: dict[str, Any], body: bytes) -> BodyReading:
    """Names that come twice and numbers that lose digits are read again, from the text."""
    if body.lower().count(b'"success"') <= 1 and float not in map(type, value.values()):
        return BodyReading(value)
    again = read_top_level(body.decode("utf-8", "replace"))
    numbers = {name: again.fields()[name] for name, one in value.items() if isinstance(one, float)}
    return BodyReading(value | numbers, _denies(again))


def _read_text(text: str) -> BodyReading:
    if text.startswith("<"):
        return _xml_reading(text)
    if not text.startswith("{"):
        return _NOTHING
    top = read_top_level(text)
    return BodyReading(top.fields() or None, _denies(top), not top.whole)


def _denies(top: TopLevel) -> bool:
    said = [value for name, value in top.members if name.lower() == "success"]
    return any(value is False or (isinstance(value, str) and value.strip().lower() == "false") for value in said)


def _decoded(body: bytes, content_type: str | None) -> str:
    """Text of an answer that is not plain UTF-8 JSON; what cannot be decoded becomes U+FFFD."""
    declared = _CONTENT_TYPE_CHARSET.search(content_type or "")
    in_xml = _XML_CHARSET.match(body)
    name = declared[1] if declared else in_xml[1].decode() if in_xml else "utf-8"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        name = "utf-16"
    return body.decode(_CHARSETS.get(name.lower(), "utf-8-sig"), "replace")


def _xml_reading(text: str) -> BodyReading:
    if _FORBIDDEN_XML.search(text):
        return BodyReading(odd=True)
    reader, whole = _XmlReader(), True
    try:
        document = _BARE_AMPERSAND.sub("&amp;", _XML_DECLARATION.sub("", text, count=1))
        reader.read(document.encode("utf-8", "replace"))
    except _RefusedError:
        return BodyReading(odd=True)
    except (expat.ExpatError, ValueError, LookupError):
        whole = False
    denies = any(name.lower() == "success" and value.lower() == "false" for name, value in reader.said)
    return BodyReading(reader.fields or None if not whole else reader.fields, denies, not whole)


class _RefusedError(Exception):
    """The document is deeper, larger or of another kind than an answer may be."""


class _XmlReader:
    """Collects the text of the root's children, by local name."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._depth = 0
        self._elements = 0
        self._text: list[str] = []

    @property
    def fields(self) -> dict[str, object]:
        return dict(self.said)

    def read(self, document: bytes) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.Parse(document, True)

    def _start(self, _name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_XML_DEPTH or self._elements > MAX_XML_ELEMENTS:
            raise _RefusedError
        if self._depth == 2:
            self._text.clear()

    def _end(self, name: str) -> None:
        if self._depth == 2:
            self.said.append((name.rpartition(":")[2], "".join(self._text).strip()))
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._depth == 2:
            self._text.append(text)

    def _refuse(self, *_: object) -> None:
        raise _RefusedError

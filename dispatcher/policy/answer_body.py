"""Reads the fields of a host's answer, JSON or XML. Never raises on hostile bytes and never expands an entity.

The answer is at most 64 KiB of one object: a JSON object, or an XML root whose children are the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

import orjson

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
_FORBIDDEN_XML = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_fields(body: bytes, content_type: str | None = None) -> Fields | None:
    """Field names and values as the host sent them, or None when there is no object to read."""
    if not body or len(body) > MAX_ANSWER_BYTES:
        return None
    try:
        return _object(orjson.loads(body))
    except orjson.JSONDecodeError:
        text = _decoded(body, content_type).strip()
    if text.startswith("<"):
        return _xml_fields(text)
    return _json_fields(text) if text.startswith("{") else None


def _object(value: Any) -> Fields | None:
    return value if isinstance(value, dict) else None


def _json_fields(text: str) -> Fields | None:
    try:
        return _object(orjson.loads(text.encode("utf-8", "replace")))
    except orjson.JSONDecodeError:
        return None


def _decoded(body: bytes, content_type: str | None) -> str:
    """Text of an answer that is not plain UTF-8 JSON; what cannot be decoded becomes U+FFFD."""
    declared = _CONTENT_TYPE_CHARSET.search(content_type or "")
    in_xml = _XML_CHARSET.match(body)
    name = declared[1] if declared else in_xml[1].decode() if in_xml else "utf-8"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        name = "utf-16"
    return body.decode(_CHARSETS.get(name.lower(), "utf-8-sig"), "replace")


def _xml_fields(text: str) -> Fields | None:
    if _FORBIDDEN_XML.search(text):
        return None
    reader = _XmlReader()
    try:
        reader.read(_XML_DECLARATION.sub("", text, count=1).encode("utf-8", "replace"))
    except (expat.ExpatError, _RefusedError, ValueError, LookupError):
        return None
    return reader.fields


class _RefusedError(Exception):
    """The document is deeper, larger or of another kind than an answer may be."""


class _XmlReader:
    """Collects the text of the root's children, by local name."""

    def __init__(self) -> None:
        self.fields: dict[str, object] = {}
        self._depth = 0
        self._elements = 0
        self._text: list[str] = []

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
            self.fields[name.rpartition(":")[2]] = "".join(self._text).strip()
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._depth == 2:
            self._text.append(text)

    def _refuse(self, *_: object) -> None:
        raise _RefusedError

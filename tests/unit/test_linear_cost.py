"""Every pattern and every parser of foreign input takes time in proportion to it, whatever it is made of."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import dispatcher
import worker
from dispatcher.api.graphql.bounds.limits import check_text
from dispatcher.api.http.request.validation import validated
from dispatcher.api.oauth.form import _fields
from dispatcher.api.rest.events.accepting.models import EventIn
from dispatcher.api.rest.host.xml import prefers_xml, to_xml
from dispatcher.catalogue.validation import schema_problems
from dispatcher.errors import RequestError
from dispatcher.model.event_type import EventType
from dispatcher.pages.messages import choose
from dispatcher.policy.addresses.urls import check_url
from dispatcher.policy.answers.body import read_answer
from dispatcher.policy.answers.tolerant_json import read_top_level
from dispatcher.policy.integration_filter.filter import filter_problems
from dispatcher.policy.notification.headers import header_problems
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from dispatcher.policy.pace.retry import parse_retry_after
from dispatcher.policy.secrets.redaction import scrub
from dispatcher.policy.strict_json import read_json, read_lines
from dispatcher.telemetry.masking import safe_lines, safe_text
from tests.linear import BETWEEN, growth

Reader = Callable[[str], object]
SIZE = 2000


@dataclass(frozen=True)
class Used:
    """A compiled pattern that a module of ours holds, and the ways in which that module asks it."""

    pattern: re.Pattern[Any]
    ways: tuple[str, ...]

    def readers(self) -> Iterator[Callable[[Any], object]]:
        for way in self.ways:
            yield partial(_asked, getattr(self.pattern, way), way)


def _asked(ask: Callable[..., Any], way: str, text: Any) -> object:
    if way == "sub":
        return ask(text[:0], text)
    return deque(ask(text), 0) if way == "finditer" else ask(text)


def patterns() -> Iterator[tuple[str, Used]]:
    for package in (dispatcher, worker):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__"):
                continue
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    ways = set(re.findall(rf"\b{name}\.([a-z]+)\(", inspect.getsource(module)))
                    yield f"{found.name}.{name}", Used(value, tuple(sorted(ways)) or ("fullmatch",))


def tokens(pattern: re.Pattern[Any]) -> list[str]:
    """Texts that the pattern speaks of: its literals, one of each class and range, and what it excludes."""
    text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    found: dict[str, None] = {}
    _collect(parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else 0), found)
    return [*found, " "][:9]


def _collect(items: Any, found: dict[str, None]) -> None:
    run = ""
    for what, about in items:
        if what is constants.LITERAL:
            run += chr(about)
            continue
        if run:
            found[run], run = None, ""
        if what is constants.NOT_LITERAL:
            found[chr(about)] = None
        elif what is constants.IN:
            found |= dict.fromkeys(_members(about))
        elif what is constants.CATEGORY:
            found |= dict.fromkeys(_members([(what, about)]))
        elif isinstance(about, tuple | list):
            _nested(about, found)
    if run:
        found[run] = None


def _nested(about: Any, found: dict[str, None]) -> None:
    for one in about:
        if isinstance(one, parser.SubPattern):
            _collect(one, found)
        elif isinstance(one, list):
            for branch in one:
                _collect(branch, found)


def _members(members: Any) -> Iterator[str]:
    for what, about in members:
        if what is constants.LITERAL:
            yield chr(about)
        elif what is constants.RANGE:
            yield chr(about[1])
        elif what is constants.CATEGORY:
            yield {"DIGIT": "7", "SPACE": "\t", "WORD": "w"}.get(str(about).rpartition("_")[2], "-")


def pumped(pieces: list[str], ends: tuple[str, ...], prefixes: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Beginnings, what to repeat behind them, and ends: each piece, and each two."""
    units = dict.fromkeys(map("".join, [*product(pieces, repeat=1), *product(pieces, repeat=2)]))
    yield from product(prefixes or ("", pieces[0]), units, ends)


PATTERNS = dict(patterns())


def test_patterns_are_found_and_taken_apart() -> None:
    assert len(PATTERNS) > 40
    of_queries = PATTERNS["dispatcher.api.graphql.bounds.limits._NOT_BRACKETS"]
    assert of_queries.ways == ("sub",)
    assert {'"""', "\\", '"', "#"} <= set(tokens(of_queries.pattern))


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_takes_more_than_linear_time(name: str) -> None:
    used = PATTERNS[name]
    for prefix, unit, end in pumped(tokens(used.pattern), ("", "\x00")):

        def make(size: int, prefix: str = prefix, unit: str = unit, end: str = end) -> Any:
            text = prefix + unit * (size // len(unit) + 1) + end
            return text.encode("latin-1", "replace") if isinstance(used.pattern.pattern, bytes) else text

        for read in used.readers():
            assert growth(read, make, SIZE) < BETWEEN, (prefix, unit, end)


JSON = ['"', "\\", "{", "}", "[", "]", ",", ":", "1", "a", " ", "\\u", "\\ud800", '"a":', "é"]
XML = ["<", ">", "&", "<a>", "</a>", "<!", "<?", "success", "false", '="', "&amp;", "]]>", "<!--"]
TEXT = [
    "bearer ",
    "api_key",
    "=",
    ":",
    '"',
    " ",
    "a",
    "whsec_",
    "password",
    "http://",
    "@",
    "eyJ",
    ".",
    "\n",
    "cookie",
    "é",
]
URL = ["a", ".", "{", "}", "{a}", "-", "1", "0x", "%", "[", ":", "@", "é", "xn--", "/"]
WEB = ["a", "=", "&", "%", "%41", "+", ";", ",", "q=", " ", "-", '"', "*"]

READERS: dict[str, tuple[Reader, list[str], tuple[str, ...]]] = {
    "json": (lambda text: read_json(text.encode()), JSON, ("", "{", '["', '{"a":')),
    "ndjson": (lambda text: list(islice(read_lines(text.encode()), 100)), [*JSON, "\n", "{}\n"], ("",)),
    "answer in json": (lambda text: read_answer(text.encode()), JSON, ("{", '{"success":"')),
    "answer in xml": (lambda text: read_answer(text.encode()), XML, ("<a>", "<?xml ", "<r><success>")),
    "imperfect json": (read_top_level, JSON, ("{", '{"success":')),
    "kept text": (scrub, TEXT, ("",)),
    "kept text, with secrets": (lambda text: scrub(text, ("****", "aaaa", "a" * 40)), ["a", "*", "é"], ("",)),
    "log line": (safe_text, TEXT, ("", "authorization: ")),
    "traceback": (safe_lines, TEXT, ("",)),
    "url": (lambda text: check_url(text, require_https=False), URL, ("https://", "https://[", "")),
    "header": (lambda text: header_problems([(text, text)], authenticated=True), ["a", "-", "_", ":", "\n"], ("",)),
    "retry-after": (lambda text: parse_retry_after(text, 0.0), ["1", ".", "Mon, ", " ", ":", "-"], ("",)),
    "query text": (check_text, ['"', "\\", "{", "}", "a", "#", "\n", '"""', '\\"""', "(", " "], ("", "{", '"')),
    "form": (lambda text: _fields(text.encode()), WEB, ("",)),
    "accept": (prefers_xml, [",", ";", "q=", "1", "text/xml", " "], ("", "text/xml;")),
    "accept-language": (lambda text: choose((), text), WEB, ("", "de;")),
    "language": (lambda text: choose((text,)), ["a", "-", "de"], ("",)),
    "xml answer of ours": (lambda text: to_xml("r", {text: text}), ["<", "&", '"', "\x00", "a"], ("",)),
    "signature": (
        lambda text: verify([parse_secret("whsec_" + "QUFB" * 8)], "i", "1", text, b"{}", now_s=1.0),
        ["v1,", " ", "a", "=", "v1a,"],
        ("", "v1,"),
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_more_than_linear_time(name: str) -> None:
    read, pieces, prefixes = READERS[name]
    for prefix, unit, _ in pumped(pieces, ("",), prefixes):
        ratio = growth(read, lambda size, u=unit, p=prefix: p + u * (size // len(u) + 1), SIZE)  # type: ignore[misc]
        assert ratio < BETWEEN, (prefix, unit, ratio)


DOCUMENTS: dict[str, tuple[Callable[[Any], object], Callable[[int], Any]]] = {
    "unknown fields": (lambda body: validated(EventIn, body), lambda size: {f"a{n}": 1 for n in range(size)}),
    "a name twice": (read_json, lambda size: b'{"a":1' + b',"a":1' * size + b"}"),
    "deep lists": (read_json, lambda size: b"[" * size + b"]" * size),
    "wide and deep lists": (read_json, lambda size: b"[" + b",".join([b"[" * 60 + b"]" * 60] * (size // 60)) + b"]"),
    "long numbers": (read_json, lambda size: b"[" + b",".join([b"1" * 4000] * (size // 400)) + b"]"),
    "a payload's list": (
        lambda payload: schema_problems(EventType.SUBSCRIPTION_ORDER, payload),
        lambda size: {"order": {"items": [[[]]] * size}},
    ),
    "a filter": (filter_problems, lambda size: {"$and": [{"$or": [{"payload.x": n}] * 9} for n in range(size // 9)]}),
    "a listed filter": (filter_problems, lambda size: {"payload.x": {"$in": [{"a": n} for n in range(size)]}}),
    "headers": (lambda pairs: header_problems(pairs, authenticated=True), lambda size: [("a", "b")] * size),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_takes_more_than_linear_time(name: str) -> None:
    read, make = DOCUMENTS[name]
    assert growth(read, make, 4000) < BETWEEN


def test_many_unknown_fields_cost_twenty_problems() -> None:
    with pytest.raises(RequestError) as refused:
        validated(EventIn, {"type": "x", **{f"a{n}": 1 for n in range(1000)}})
    assert [one.field for one in refused.value.problems] == [f"a{n}" for n in range(20)]
    assert {one.code for one in refused.value.problems} == {"unknown_field"}


def test_a_payload_is_judged_by_what_lies_behind_the_beginning_of_a_list_too() -> None:
    payload = json.loads('{"order": {"editionCode": "A", "items": [' + '{"unit": "USER"},' * 500 + "1]}}")
    (problem,) = schema_problems(EventType.SUBSCRIPTION_ORDER, payload)
    assert problem.field == "payload.order.items.500"

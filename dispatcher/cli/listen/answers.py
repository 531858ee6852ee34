"""Answers of a developer's machine: a line each, and the difference between two. No I/O."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from dispatcher.cli.terminal.output import cell

SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """``took_ms`` from the request to the end of the answer. ``status`` 0 = none came, and ``body`` says why."""

    status: int
    body: bytes
    took_ms: float
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def line(answer: Answer) -> str:
    """``200 in 12 ms  {"success":true}``."""
    text = cell(answer.body.decode("utf-8", "replace"))
    shown = text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"
    if not answer.status:
        return f"no answer: {shown}"
    return f"{answer.status} in {answer.took_ms:.0f} ms  {shown}".rstrip()


def difference(before: Answer, after: Answer) -> list[str]:
    """Lines as ``diff -u`` writes them; one that says so when the answers are alike."""
    lines = difflib.unified_diff(list(_lines(before)), list(_lines(after)), "before", "after", lineterm="")
    return [cell(one) for one in lines] or ["both answers are alike"]


def _lines(answer: Answer) -> Iterator[str]:
    yield f"status {answer.status}"
    for name in ("Content-Type", "Retry-After"):
        if name in answer.headers:
            yield f"{name}: {answer.headers[name]}"
    try:
        yield from orjson.dumps(orjson.loads(answer.body), option=orjson.OPT_INDENT_2).decode().splitlines()
    except orjson.JSONDecodeError:
        yield from answer.body.decode("utf-8", "replace").splitlines()

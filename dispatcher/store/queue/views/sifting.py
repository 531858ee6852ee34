"""The checks that ``list.lua`` makes of events in Redis, made of archived ones. Pure.

Archived events have ended well, so nothing is asked of places, failures and what is planned. A test makes each check
on both sides of the border.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from dispatcher.model.event import EventState
from dispatcher.model.queue import EventFilter, Reason
from dispatcher.model.status import Status
from dispatcher.policy.integration_filter.filter import FILTERED
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.footer import Footer
from dispatcher.store.queue.views.checks import Check, check_list
from dispatcher.store.queue.views.event_view import ENDED

_COLUMNS = {"integration": "lanes", "account": "accounts", "type": "types", "status": "statuses"}
_ROWS: dict[str, Callable[[Check, Footer, int], bool]] = {
    "id": lambda check, footer, row: _begins(footer.ids[row], check),
    "accepted": lambda check, footer, row: _is_within(footer.created_ms[row], check),
}
_BEGINNING = re.compile(rb'[^\n]*\n[^\n]*\n\{"t":"[A-Z_]+","r":\d+(?:,"a":"([^"\\]*)")?')
_AUTHORITY = re.compile(rb'"u":"[^:"]*://([^/?#"\\]*)')
_NUMBER = re.compile(r"-?\d[\d.eE+-]*")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class ArchiveSieve:
    """A condition, as the archive is searched with it."""

    checks: Sequence[Check]

    @property
    def is_exact(self) -> bool:
        """Rows of footers say all that is asked."""
        return all(check["field"] in _COLUMNS or check["field"] in _ROWS for check in self.checks)

    @property
    def texts(self) -> Sequence[bytes]:
        """Of the check that most footers fail."""
        for name in ("account", "integration", "type"):
            for check in self.checks:
                if check["field"] == name and not check["negated"]:
                    return [orjson.dumps(value) for value in check["values"]]
        return ()

    def rows(self, footer: Footer) -> Iterable[int]:
        rows: Iterable[int] = range(len(footer.ids))
        for check in self.checks:
            if column := _COLUMNS.get(check["field"]):
                rows = _in_column(rows, check, footer.texts[column], footer.columns[column])
            elif test := _ROWS.get(check["field"]):
                rows = [row for row in rows if test(check, footer, row) != check["negated"]]
        return rows

    def holds(self, event: ArchivedEvent) -> bool:
        seen = _Seen(event)
        return all(_CHECKS[check["field"]](seen, check) != check["negated"] for check in self.checks)


def sieve_of(condition: EventFilter) -> ArchiveSieve:
    return ArchiveSieve(check_list(condition))


class _Seen:
    """The parts of one event that checks ask for, each read when it is asked for."""

    def __init__(self, event: ArchivedEvent) -> None:
        self.event = event
        lane, group, self.body = event.document.split(b"\n", 2)
        self.lane = lane.decode()
        self.account = _account(group.decode())

    @cached_property
    def state(self) -> EventState:
        return EventState.from_stored(self.event.state)

    @cached_property
    def attempt(self) -> bytes:
        """The last one that was recorded."""
        return self.event.attempts.get(self.state.attempts, b"")

    @cached_property
    def attempt_record(self) -> dict[str, Any]:
        found = orjson.loads(self.attempt) if self.attempt else {}
        return found if isinstance(found, dict) else {}

    @property
    def type(self) -> str:
        return self.body[6:].partition(b'"')[0].decode()

    @property
    def client(self) -> str:
        found = _BEGINNING.match(self.event.document)
        return found[1].decode() if found and found[1] is not None else ""

    def is_of_product(self, field: str) -> bool:
        found = _BEGINNING.match(self.event.document)
        return found is not None and self.event.document.startswith(field.encode(), found.end())

    @property
    def reason(self) -> str:
        if self.state.status is Status.SKIPPED and self.state.error_code == FILTERED:
            return Reason.FILTERED.value
        reason = ENDED.get(self.state.status)
        return reason.value if reason else ""

    @property
    def host(self) -> str:
        found = _AUTHORITY.search(self.attempt)
        return found[1].decode().rpartition("@")[2].lower() if found else ""


def _account(group: str) -> str:
    """A group is an account; behind \\1 one of status notifications, around an installation \\2 one of steps."""
    if group.startswith("\x02"):
        return group.split("\x02", 2)[2]
    return group.removeprefix("\x01")


def _in_column(rows: Iterable[int], check: Check, texts: Sequence[str], column: Sequence[int]) -> Iterable[int]:
    allowed = {number for number, text in enumerate(texts) if (text in check["values"]) != check["negated"]}
    return rows if len(allowed) == len(texts) else [row for row in rows if column[row] in allowed]


def _begins(event_id: str, check: Check) -> bool:
    return event_id.startswith(tuple(check["starts"]))


def _is_within(number: int | None, check: Check) -> bool:
    if number is None:
        return False
    return any((a is False or number >= a) and (b is False or number < b) for a, b in check["bounds"])


def _is_any_product(seen: _Seen, check: Check) -> bool:
    return any(seen.is_of_product(field) for field in check["products"])


def _is_word(seen: _Seen, check: Check) -> bool:
    is_named = seen.account in check["accounts"] or seen.lane in check["lanes"]
    return is_named or _begins(seen.event.id, check) or _is_any_product(seen, check)


def _is_host(seen: _Seen, check: Check) -> bool:
    return seen.host in check["values"] or re.sub(r":\d+$", "", seen.host) in check["values"]


def has_in_payload(document: bytes, checks: Sequence[Check]) -> bool:
    """All of some checks of payloads hold of a plain document."""
    body = document.split(b"\n", 2)[2]
    return all(_has_in_body(body, check) != check["negated"] for check in checks)


def _has_in_body(body: bytes, check: Check) -> bool:
    if not any(text.encode() in body for text in check["contains"]):
        return False
    found = _at_path(orjson.loads(body).get("d"), check["path"])
    return found is not _ABSENT and _is_scalar(found, check["values"])


def _at_path(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if isinstance(value, dict):
            value = value.get(name, _ABSENT)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _ABSENT
    return value


def _is_scalar(value: Any, texts: Mapping[str, bool]) -> bool:
    if isinstance(value, str):
        return value in texts
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value] in texts
    if not isinstance(value, int | float):
        return False
    return any(_NUMBER.fullmatch(text) and _as_number(text) == float(value) for text in texts)


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _status_code(seen: _Seen) -> int | None:
    answered = seen.attempt_record.get("h")
    return answered if isinstance(answered, int) else None


_CHECKS: dict[str, Callable[[_Seen, Check], bool]] = {
    "integration": lambda seen, check: seen.lane in check["values"],
    "account": lambda seen, check: seen.account in check["values"],
    "type": lambda seen, check: seen.type in check["values"],
    "id": lambda seen, check: _begins(seen.event.id, check),
    "product": _is_any_product,
    "client": lambda seen, check: seen.client in check["values"],
    "word": _is_word,
    "status": lambda seen, check: seen.state.status.value in check["values"],
    "error": lambda seen, check: (seen.state.error_code or "") in check["values"],
    "outcome": lambda seen, check: seen.attempt_record.get("o", "") in check["values"],
    "host": _is_host,
    "payload": lambda seen, check: _has_in_body(seen.body, check),
    "reason": lambda seen, check: seen.reason in check["values"],
    "attempts": lambda seen, check: _is_within(seen.state.attempts, check),
    "http": lambda seen, check: _is_within(_status_code(seen), check),
    "next": lambda *_: False,
    "accepted": lambda seen, check: _is_within(seen.state.created_ms, check),
    "failed": lambda seen, check: _is_within(seen.state.created_ms, check),
}
"""By the names that ``list.lua`` has; archived events have not failed, so these times are of their acceptance."""

"""The event: what is accepted never changes (Event), where it stands does (EventState)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from dispatcher.errors import NotFound
from dispatcher.model import exact_numbers
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.model.integration import WORKING
from dispatcher.model.status import FAILURES, TERMINAL, Status

_STATUS_GROUP = "\x01"
"""Marks the ordering group of status notifications, which never wait behind an account's own events."""

_STEP_GROUP = "\x02"
"""Around an installation's id, marks the group of its steps, which never wait behind an account's events either."""

_BESIDE = STEP_TYPES | {EventType.SUBSCRIPTION_STATUS}
"""Types with groups of their own."""

_TYPES = {kind.value: kind for kind in EventType}
_STATUSES = {status.value: status for status in Status}
_STATE_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "q": ("sequence", int),
    "n": ("attempts", int),
    "u": ("tries", int),
    "d": ("due_ms", int),
    "e": ("error_code", str),
    "m": ("error_message", str),
    "x": ("settled_ms", int),
    "w": ("result_deadline_ms", int),
    "i": ("account_identifier", str),
    "y": ("asynchronous", bool),
    "r": ("manually_resolved", bool),
    "v": ("revision", int),
    "g": ("expunged_ms", int),
}
"""Fields of a stored state besides status and creation: attribute and reader. Most states have one or two of them."""


class EventDocument(NamedTuple):
    """An event in the form that it is stored in, before its contents are packed."""

    id: str
    text: bytes


class Event(NamedTuple):
    """An event as it was accepted. ``account_id`` None means that nothing orders it.

    A tuple, as ``EventState``: made for every event several times, it costs a quarter of a frozen dataclass.
    """

    id: str
    type: EventType
    integration_id: str
    revision: int
    """Published revision it was created with; 0 = the WORKING version (flag DEVELOPMENT)."""
    product_id: str | None = None
    account_id: str | None = None
    subscription_id: str | None = None
    flag: str | None = None
    creator: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None
    trace: str | None = None
    """``traceparent`` that its emitter sent; None = it sent none."""
    client_id: str | None = None
    """The API client that it was accepted from; None = it came about by itself, or was accepted by an older version."""
    working_ms: int | None = None
    """With revision 0: when the WORKING version that it was accepted with was saved; None = what there is then."""

    def pinned(self, chosen: int | None) -> int:
        """The number that its version is kept under; ``chosen``: by a redelivery, which takes what there is then."""
        if chosen is not None:
            return chosen
        return -self.working_ms if self.working_ms and self.revision == WORKING else self.revision

    @property
    def group(self) -> str:
        """The group that orders it within its integration; empty = unordered."""
        account = self.account_id or ""
        if self.type not in _BESIDE:
            return account
        if self.type in STEP_TYPES:
            return f"{_STEP_GROUP}{self.subscription_id or ''}{_STEP_GROUP}{account}"
        return _STATUS_GROUP + account if account else ""

    def stored(self) -> bytes:
        """``lane LF group LF json``: scripts read the first two lines without parsing the rest."""
        body: dict[str, Any] = {"t": self.type.value, "r": self.revision}
        if self.client_id is not None:
            body["a"] = self.client_id
        if self.product_id is not None:
            body["p"] = self.product_id
        if self.subscription_id is not None:
            body["s"] = self.subscription_id
        if self.flag is not None:
            body["f"] = self.flag
        if self.working_ms is not None:
            body["v"] = self.working_ms
        if self.trace is not None:
            body["w"] = self.trace
        if self.creator is not None:
            body["c"] = self.creator
        if self.payload is not None:
            body["d"] = self.payload
        return f"{self.integration_id}\n{self.group}\n".encode() + exact_numbers.dumps_marked(body)

    def document(self) -> EventDocument:
        return EventDocument(self.id, self.stored())

    @classmethod
    def from_stored(cls, event_id: str, stored: bytes) -> Event:
        lane, group, text = stored.split(b"\n", 2)
        body = exact_numbers.loads_marked(text)
        return cls(
            id=event_id,
            type=_TYPES[body["t"]],
            integration_id=lane.decode(),
            revision=body["r"],
            product_id=body.get("p"),
            account_id=_account_in(group.decode()),
            subscription_id=body.get("s"),
            flag=body.get("f"),
            creator=body.get("c"),
            payload=body.get("d"),
            trace=body.get("w"),
            client_id=body.get("a"),
            working_ms=body.get("v"),
        )

    def with_contents(self, text: bytes) -> Event:
        """With creator and payload, from the end of its document that they are: ``,"c":…,"d":…}``."""
        body = exact_numbers.loads_marked(b"{" + text[1:])
        return Event._make((*self[:_CREATOR], body.get("c"), body.get("d"), *self[_CREATOR + 2 :]))


_CREATOR = Event._fields.index("creator")
"""The payload follows it."""


def _account_in(group: str) -> str | None:
    """The account whose events a group orders."""
    if group.startswith(_STEP_GROUP):
        return group.rpartition(_STEP_GROUP)[2] or None
    return group.removeprefix(_STATUS_GROUP) or None


class EventState(NamedTuple):
    """The state of an event. Times are epoch milliseconds of the store's clock."""

    status: Status
    created_ms: int
    sequence: int = 0
    """Position within (integration, account), from 1; 0 = unordered."""
    attempts: int = 0
    """Attempts recorded so far."""
    tries: int = 0
    """Attempts that used up the retry schedule since the last (re)delivery."""
    due_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    settled_ms: int | None = None
    result_deadline_ms: int | None = None
    account_identifier: str | None = None
    asynchronous: bool = False
    manually_resolved: bool = False
    revision: int | None = None
    """Revision chosen by a redelivery, in place of the one it was created with."""
    expunged_ms: int | None = None
    """Its content, and what hosts said of it, was forgotten then."""
    unknown: dict[str, Any] | None = None
    """Fields of a newer version; written back as they came."""

    @property
    def consumed(self) -> bool:
        return self.status in TERMINAL

    @property
    def successful(self) -> bool:
        return self.status in (Status.SUCCEEDED, Status.RESOLVED)

    @property
    def failed(self) -> bool:
        return self.status in FAILURES

    def with_status(self, status: Status) -> EventState:
        return self._replace(status=status)

    def stored(self) -> bytes:
        """The part that stays as it is while time passes; ``settle`` adds the time that goes with the status."""
        written: dict[str, Any] = {"s": self.status.value, "c": self.created_ms, "q": self.sequence}
        if self.attempts:
            written["n"] = self.attempts
        if self.tries:
            written["u"] = self.tries
        if self.error_code is not None:
            written["e"] = self.error_code
        if self.error_message is not None:
            written["m"] = self.error_message
        if self.account_identifier is not None:
            written["i"] = self.account_identifier
        if self.asynchronous:
            written["y"] = True
        if self.revision is not None:
            written["v"] = self.revision
        if self.expunged_ms is not None:
            written["g"] = self.expunged_ms
        return orjson.dumps({**self.unknown, **written} if self.unknown else written)

    @classmethod
    def from_stored(cls, stored: bytes) -> EventState:
        """Read the compact JSON that the scripts keep (field names in ``store/lua/_queue.lua``)."""
        fields: dict[str, Any] = orjson.loads(stored)
        status, created_ms = _STATUSES[fields.pop("s")], int(fields.pop("c"))
        known: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        for name, value in fields.items():
            if (reads := _STATE_FIELDS.get(name)) is None:
                unknown[name] = value
            elif value is not None:
                known[reads[0]] = reads[1](value)
        return cls(status, created_ms, **known, unknown=unknown or None)


def no_such_event() -> NotFound:
    return NotFound.of("not_found", "There is no such event; it was never accepted, or its retention has ended.")

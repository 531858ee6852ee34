"""The error tree. Catch by type; a message says what to do next.

DispatcherError
├── ConfigurationError      a setting is missing, malformed or contradicts the store
├── InvalidRequest          bad input from outside: carries a list of field problems
│   └── Unprocessable       well-formed, but breaks a rule (422)
├── NotFound                no such object for this caller
├── Conflict                the object's state does not allow it (409)
├── Refused                 authenticated, but not allowed (403)
├── RecordDamaged           one record is not readable, the others are: an operator has to restore it
├── SourceUnavailable       a broker that events are taken from did not answer: they wait there
└── StoreUnavailable        Redis did not answer: the outcome is unknown, repeat with the same key
    ├── StoreDeclined       a slot of the cluster moves or has no master: nothing was done, repeat it
    ├── ArchiveUnavailable  the history on disk cannot be read or written: what is asked of it has to wait
    ├── StoreUnusable       Redis refuses: wrong URL, user, permission or version; ends a start as a wrong setting does
    └── StoreDamaged        a record is not readable: nothing was changed, an operator has to repair it
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


class DispatcherError(Exception):
    """Root of every error this program raises on purpose."""


class ConfigurationError(DispatcherError):
    """A setting is missing, malformed or contradicts what is in Redis."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: stable ``code``, human ``message``, dotted ``field`` or None."""

    code: str
    message: str
    field: str | None = None
    blocked_by: str | None = None
    """The event that has to end first, where that is what is wrong."""
    position: int | None = None
    """Of a text that is read character by character: the first that is wrong, from 1; None = it is not such a text."""
    length: int | None = None
    """Characters that are wrong, from there."""

    def as_json(self) -> dict[str, str | int | None]:
        body: dict[str, str | int | None] = {"code": self.code, "message": self.message, "field": self.field}
        if self.blocked_by:
            body["blockedBy"] = self.blocked_by
        if self.position is not None:
            body |= {"position": self.position, "length": self.length}
        return body


@dataclass(eq=False)
class RequestError(DispatcherError):
    """An error that a caller caused; surfaces turn it into their own error body."""

    problems: list[Problem] = field(default_factory=list)
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str, message: str, field: str | None = None) -> Self:
        """The error with exactly one problem."""
        return cls([Problem(code, message, field)])

    def __str__(self) -> str:
        return "; ".join(p.message for p in self.problems)


@dataclass(eq=False)
class InvalidRequest(RequestError):
    """400: the bytes or parameters cannot be read."""

    status: int = 400


@dataclass(eq=False)
class Unprocessable(RequestError):
    """422: readable, but breaks a rule."""

    status: int = 422


@dataclass(eq=False)
class NotFound(RequestError):
    """404: no such object for this caller."""

    status: int = 404


@dataclass(eq=False)
class Conflict(RequestError):
    """409: the object's state does not allow it."""

    status: int = 409


@dataclass(eq=False)
class Refused(RequestError):
    """403: authenticated, but this caller may not."""

    status: int = 403


class RecordDamaged(DispatcherError):
    """A record that some hand has edited into something else. Nothing was changed; the text names the remedy."""


class SourceUnavailable(DispatcherError):
    """A broker that events are taken from did not answer; what it holds waits there."""


class StoreUnavailable(DispatcherError):
    """Redis did not answer in time or refused the write; the outcome is unknown."""


class StoreDeclined(StoreUnavailable):
    """Redis refused before it did anything, and will not for long: nothing was written, repeat it."""


class ArchiveUnavailable(StoreUnavailable):
    """The storage of what ended long ago is away, or lacks a segment; the text says which, and what to look at."""


class StoreUnusable(StoreUnavailable):
    """Redis refuses a command that is needed; the text names the setting or ACL rule to change.

    A process that starts ends with it. One that runs treats it as an outage and goes on once it is changed.
    """


class StoreDamaged(StoreUnavailable):
    """A key that changes depend on cannot be read. Nothing was changed; the text names the remedy."""

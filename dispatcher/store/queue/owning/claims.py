"""Values of a claim: events in their owner's hands, and how each of them goes on. Never talks to Redis."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dispatcher.errors import DispatcherError
from dispatcher.model.attempt import Attempt, ClaimId
from dispatcher.model.event import Event, EventState
from dispatcher.model.status import Status
from dispatcher.store.packing.documents import plain_contents
from dispatcher.store.queue.records import UNREADABLE


class UnreadableContents(DispatcherError):
    """Creator and payload are damaged, or packed by a newer version."""


class Claimed(NamedTuple):
    """An event in its owner's hands. ``n``: number of the attempt to make."""

    event: Event
    """Without creator and payload where ``contents`` has them: hundreds wait, and few are sent at a time."""
    state: EventState
    n: int
    account_identifier: str | None
    url_suspended: bool = False
    """Some URL of its integration is suspended, or was and has not answered since."""
    rate_limited: bool = False
    """Its lane has a rate in the store."""
    flags: bytes = b""
    """All that the store says of its lane; a new owner reads how the last one left it."""
    size_bytes: int = 0
    """Of its document, before it was packed."""
    contents: bytes = b""
    """Creator and payload, packed as they are stored; empty = ``event`` has them."""

    @property
    def claim_id(self) -> ClaimId:
        return self.event.id, self.n

    @property
    def revision(self) -> int:
        """The revision to send it with: the one that a redelivery chose, else the one it was created with."""
        chosen = self.state.revision
        return self.event.revision if chosen is None else chosen

    @property
    def pinned(self) -> int:
        """The number that the version which it is sent with is kept under: below 0 a WORKING version as it was."""
        return self.event.pinned(self.state.revision)

    def whole(self) -> Event:
        """The event with creator and payload, opened for whoever asks. Raises ``UnreadableContents``."""
        if not self.contents:
            return self.event
        try:
            return self.event.with_contents(plain_contents(self.contents))
        except UNREADABLE as error:
            raise UnreadableContents(repr(error)) from error


class SuspendedUrls(NamedTuple):
    """URLs of an integration that answered 410 Gone: nothing is sent to those of ``now``.

    Those ``left`` behind were published no more when somebody let their events go on: what is for them goes to the
    published URL. Those ``half_open`` were enabled and have not answered since: one attempt at a time goes there.
    """

    now: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    half_open: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Followers:
    """The others of a run, in their order. ``unread``: blanks, to be given back with whatever ends the run."""

    events: list[Claimed] = field(default_factory=list)
    unread: list[Claimed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Claim:
    """Reply to one claim. ``next_due_ms`` None: nothing is scheduled. Times are Redis's own."""

    now_ms: int
    next_due_ms: int | None
    given: int
    """Events that accepts gave to the owner unasked, under this generation."""
    events: list[Claimed]
    unreadable: list[Settlement]
    """Damaged, or of a type that only a newer version knows: given back for a while."""
    too_large: list[Claimed]
    """Not read, since there was no room for it; blanks, to be given back."""
    followers: dict[ClaimId, Followers] = field(default_factory=dict)
    """By the head of their run."""


class Move(StrEnum):
    """An end of a claim that is no status."""

    RELEASE = "RELEASE"
    """Back to the queue as if it had not been claimed."""


class Settlement(NamedTuple):
    """Outcome for one claimed event. ``delay_ms``: until the next attempt, or the result's deadline."""

    claimed: Claimed
    to: Status | Move
    delay_ms: int = 0
    attempt: Attempt | None = None
    error_code: str | None = None
    error_message: str | None = None
    account_identifier: str | None = None
    notification: Event | None = None

    @property
    def event_id(self) -> str:
        return self.claimed.event.id

    def state(self) -> EventState:
        """The event's state once this is recorded; a released event keeps the one that it has."""
        before = self.claimed.state
        if isinstance(self.to, Move):
            return before
        return EventState(
            status=self.to,
            created_ms=before.created_ms,
            sequence=before.sequence,
            attempts=self.claimed.n if self.attempt else before.attempts,
            tries=before.tries + (self.to is Status.RETRYING),
            error_code=self.error_code,
            error_message=self.error_message,
            account_identifier=self.account_identifier or before.account_identifier,
            asynchronous=before.asynchronous or self.to is Status.AWAITING_RESULT,
            revision=before.revision,
            unknown=before.unknown,
        )


@dataclass(frozen=True, slots=True)
class LaneSetting:
    """One field of a lane that its owner decided: cap, rate, circuit, opened, slow or failing. None deletes it."""

    integration_id: str
    field: str
    value: int | float | None

"""One delivery and the small values that its steps return. Values only: ``worker.delivery.deliver`` takes the steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dispatcher.model.attempt import Phases
from dispatcher.model.integration import LaneLimits
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import Verdict
from dispatcher.policy.installing.account_access import Approach
from dispatcher.store.queue.owning.claims import Claimed, Settlement
from worker.delivery.targets.target import Target

UNLIMITED = LaneLimits()


@dataclass(slots=True, eq=False)
class Delivery:
    """One attempt to deliver one event: what is sent, to whom, under which number, since when.

    Made once, changed by its steps alone, never copied. Not frozen: that costs five times as much.
    """

    claimed: Claimed
    target: Target
    url: str
    started_ms: int
    """Epoch milliseconds of the store's clock."""
    begun_s: float
    """The same moment by ``time.perf_counter``, which measures how long it took."""
    approach: Approach | None = None
    """The way to the account's own host, and what authorizes there; None = the integration's."""
    elsewhere: bool = False
    """It goes to a host that the account named: nothing of the publisher's goes along."""
    teaches: bool = True
    """Host and credentials are the integration's: what comes of it says something of the lane."""
    refused: bool = False
    """The host did not take the account's own value."""
    resent: bool = False
    """The host had closed a kept connection: it went out once more, on a new one."""
    body: bytes = field(init=False)
    """The bytes that are signed and sent."""
    headers: dict[str, str] = field(init=False)
    query: str = field(init=False, default="")
    """Not empty: the host is asked with GET for its URL and this, and the body is empty."""
    secrets: tuple[str, ...] = field(init=False, default=())
    """Texts of its body to keep out of all that is stored, besides those of the target."""


class Authorization(NamedTuple):
    """``bearer``: the token that goes with this attempt, empty = none is needed."""

    bearer: str = ""
    fetched: bool = False
    """This attempt is what made a request to the token endpoint."""
    took_s: float = 0.0
    """Time that this took, or the wait for another attempt that did."""


class Reading(NamedTuple):
    """Verdict on one attempt and the facts that it rests on. ``sent_ms`` None: nothing left this machine."""

    verdict: Verdict
    http_status: int | None = None
    body: bytes = b""
    retry_after_s: float | None = None
    authorization: Authorization = Authorization()
    sent_ms: int | None = None
    put_off_s: float | None = None
    """No attempt was made, and none is worth making before that many seconds."""
    crowded: bool = False
    """That is for want of resources, and all others of its lane would want them too."""
    phases: Phases | None = None
    """None: no answer came."""
    headers: dict[str, str] | None = None
    """Of an answer that is not as it should be."""


class Decision(NamedTuple):
    """Next status of the event. ``delay_ms``: until the next attempt, or until its result is overdue."""

    to: Status
    delay_ms: int = 0


class Delivered(NamedTuple):
    """A settlement, and what the lane learns from it. ``reading`` None: no attempt was made."""

    settlement: Settlement
    limits: LaneLimits = UNLIMITED
    reading: Reading | None = None
    suspend_url: str | None = None
    teaches: bool = True
    """The host is the integration's: what it did says something of the lane."""
    crowded: bool = False
    """There was nothing left to make the attempt with, or another one has to end first."""


@dataclass(frozen=True, slots=True)
class Identity:
    """This marketplace, as notifications name it."""

    base_url: str
    partner: str


FirstTo = Callable[[str], bool]


class Limiter(Protocol):
    """Limits of the event's lane."""

    def admission(self, limits: LaneLimits, rate_limited: bool) -> AbstractContextManager[bool]:
        """Admit one attempt for as long as this is entered; False when the limits leave no slot."""

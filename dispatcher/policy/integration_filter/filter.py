"""An integration's filter, as JSON: says what is wrong with one, and decides which events it lets through.

    {"type": {"$in": ["SUBSCRIPTION_ORDER"]}, "payload.order.items.quantity": {"$gte": 10}, "$not": {"flag": "X"}}

Every entry has to hold. A path is dotted and begins with a field of the event; a bare value means ``$eq``. Never
raises: a document that is not a filter has problems, and lets nothing through.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from dispatcher.errors import Problem
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.policy.integration_filter.conditions import MAX_STEPS, Look, Node, OverBudgetError
from dispatcher.policy.integration_filter.reading import SAVING, STORED, Reader

FILTERED = "FILTERED"
"""Error code of an event that its integration's filter left out."""
MAX_TEXT_CHARS = 500
"""Of what is said of one entry."""


class Ruling(Enum):
    PASSES = "passes"
    LEFT_OUT = "left out"
    UNDECIDED = "undecided"
    """Looking at this event would cost more than a filter may: it is neither sent nor skipped."""
    UNREADABLE = "unreadable"
    """The stored document is no filter to this version: what it would say is not known."""


_UNFILTERED = STEP_TYPES | {EventType.SUBSCRIPTION_STATUS}


class Judgement(NamedTuple):
    """``text`` says why an event does not pass."""

    ruling: Ruling
    text: str = ""


_PASSES = Judgement(Ruling.PASSES)
_UNDECIDED = Judgement(
    Ruling.UNDECIDED,
    f"nothing was sent, the filter needs more than {MAX_STEPS} steps for this event: use fewer conditions, "
    "or paths that lead past long lists",
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read; without parts it lets every event through. ``texts`` has one for each part."""

    parts: tuple[Node, ...] = ()
    texts: tuple[str, ...] = ()
    unreadable: str = ""

    def judge(self, event: Event) -> Judgement:
        """The decision about ``event``; where it is left out, with the first condition that it does not meet.

        Notifications about other events pass always: whoever wants none configures no URL for them.
        """
        if event.type in _UNFILTERED or not (self.parts or self.unreadable):
            return _PASSES
        if self.unreadable:
            return Judgement(Ruling.UNREADABLE, self.unreadable)
        look = Look(event)
        try:
            unmet = next(
                (text for part, text in zip(self.parts, self.texts, strict=True) if not part.holds(look)), None
            )
        except OverBudgetError:
            return _UNDECIDED
        return _PASSES if unmet is None else Judgement(Ruling.LEFT_OUT, unmet)


def filter_problems(document: object, where: str = "filter") -> list[Problem]:
    """Everything wrong with a filter, at most 20 problems; the field leads to the operator or path."""
    reader = Reader(SAVING)
    reader.filter(document, where, 1, top=True)
    return reader.problems


def compile_filter(document: object) -> Filter:
    """The filter of a stored ``document``, whatever bounds hold now; None lets everything through.

    What cannot be read lets nothing through: a newer version may have written it, and know whom it must not reach.
    """
    if document is None:
        return Filter()
    reader = Reader(STORED)
    read = reader.filter(document, "filter", 1, top=True)
    if reader.problems or read is None:
        wrong = reader.problems[0] if reader.problems else Problem("wrong_type", "It is no filter.", "filter")
        return Filter(unreadable=f"{wrong.field}: {wrong.message}"[:MAX_TEXT_CHARS])
    return Filter(read.parts, tuple(_shown(part) for part in read.parts))


def _shown(part: Node) -> str:
    text = str(part)
    return text if len(text) <= MAX_TEXT_CHARS else f"{text[:MAX_TEXT_CHARS]}…"

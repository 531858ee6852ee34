"""Answers of scripts that refused what was asked of one event, as errors that say what to do. Never talks to Redis."""

from __future__ import annotations

from typing import Any

from dispatcher.errors import Conflict, NotFound, Problem
from dispatcher.model.effect import is_update
from dispatcher.model.event import no_such_event
from dispatcher.model.status import COMPLETE, FAILURES, TERMINAL, Status
from dispatcher.store.queue.records import text

BROUGHT_FORWARD = "brought forward"
EXPUNGED = "expunged"
REDELIVERED = "redelivered"

_OPEN = frozenset(Status) - TERMINAL
_INSTEAD = {
    BROUGHT_FORWARD: {
        Status.QUEUED: "no attempt of it has failed, so none is planned; its explanation says what it waits for",
        Status.DELIVERING: "an attempt is under way",
        Status.HELD: "its URL is suspended: enable it",
        Status.AWAITING_RESULT: "its host has taken it and has to report the result",
        **dict.fromkeys(FAILURES, "redeliver it"),
        **dict.fromkeys(COMPLETE, "nothing more is sent for it"),
    },
    EXPUNGED: dict.fromkeys(_OPEN, "wait until it has ended, or resolve it first"),
    REDELIVERED: dict.fromkeys(_OPEN, "it is under way; deliver-now brings a planned attempt forward"),
}
"""By what was asked, and the status that did not allow it: what to do, or why there is nothing to do."""


def refusal(reply: list[Any], verb: str) -> Conflict | NotFound | None:
    """The error that a reply stands for; None: it was done. ``verb``: a participle, as in ``redelivered``."""
    word = text(reply[0])
    if word == "ok":
        return None
    if word == "gone":
        return no_such_event()
    return _REFUSED[word](text(reply[1]) if len(reply) > 1 else "", verb)


def _wrong_status(status: str, verb: str) -> Conflict:
    """Names no status of an open event: the one that is shown also says whether it waits or is in flight."""
    instead = _INSTEAD.get(verb, {}).get(Status(status))
    named = "has not ended" if verb != BROUGHT_FORWARD and Status(status) in _OPEN else f"is {status}"
    return Conflict.of("wrong_status", f"an event that {named} cannot be {verb}" + (f": {instead}" if instead else ""))


def _behind(head: str, verb: str) -> Conflict:
    message = f"it cannot be {verb}: it waits for an earlier event of the same account, {head}, which has to end first"
    return Conflict([Problem("behind_event", message, blocked_by=head)])


def _locked(holders: str, verb: str) -> Conflict:
    if any(is_update(one) for one in holders.split("\n")):
        why = "a managed update of what the account has installed has to end first"
        return Conflict.of("update_locked", f"it cannot be {verb}: {why}")
    why = "the product host refuses the account's credentials; give its connector new ones"
    return Conflict.of("credentials_locked", f"it cannot be {verb}: {why}")


def _attempted(_: str, verb: str) -> Conflict:
    return Conflict.of("attempted_since", f"it was attempted after this was asked for, so it is not {verb} again")


def _expunged(_: str, verb: str) -> Conflict:
    return Conflict.of("payload_expunged", f"its content was expunged, so it cannot be {verb}: emit it anew")


_REFUSED = {
    "refused": _wrong_status,
    "behind": _behind,
    "locked": _locked,
    "attempted": _attempted,
    "expunged": _expunged,
}

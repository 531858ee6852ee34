"""The reason for each event's status in a list, and the end of it: what itself says, and what holds it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.operating.lane_states import holding
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import LaneView, Pause, StoredEvent, TypePause
from dispatcher.model.status import Status
from dispatcher.pages.rendering import ago

_WAITING = frozenset({Status.QUEUED, Status.RETRYING, Status.HELD})


@dataclass(frozen=True, slots=True)
class Holds:
    """Pauses of types and states of integrations, as far as events of a list wait for them."""

    types: Mapping[EventType, TypePause] = field(default_factory=dict)
    lanes: Mapping[str, LaneView] = field(default_factory=dict)


async def holds(events: Sequence[StoredEvent], viewer: Viewer) -> Holds:
    """Asked for nothing where no event waits."""
    waiting = {one.event.integration_id for one in events if one.state.status in _WAITING}
    if not waiting:
        return Holds()
    reads = viewer.services.reads
    types = {one.kind: one for one in await reads.type_pauses.all(viewer.now_ms)}
    return Holds(types, await reads.lanes(waiting))


def why(stored: StoredEvent, now_ms: int, held: Holds) -> str:
    state = stored.state
    error = ": ".join(part for part in (state.error_code, state.error_message) if part)
    match state.status:
        case Status.SUCCEEDED:
            tries = f"attempt {state.attempts}" if state.attempts > 1 else "first attempt"
            return f"{tries}, {ago(state.settled_ms, now_ms)}" if state.settled_ms else tries
        case Status.AWAITING_RESULT if state.result_deadline_ms:
            return f"its host has to report until {ago(state.result_deadline_ms, now_ms)}"
        case Status.QUEUED | Status.RETRYING:
            waits = _held_back(stored, now_ms, held) or _next_attempt(stored, now_ms)
            return f"{waits}; {error}" if error else waits
        case Status.HELD:
            return error or _behind(stored, now_ms, held)
    return error


def _behind(stored: StoredEvent, now_ms: int, held: Holds) -> str:
    lane, behind = held.lanes.get(stored.event.integration_id), "behind an earlier event of its account"
    return f"{behind}; both paused {_by(lane.pause, now_ms)}" if lane is not None and lane.paused else behind


def _next_attempt(stored: StoredEvent, now_ms: int) -> str:
    due_ms = stored.state.due_ms
    if stored.state.status is Status.QUEUED or not due_ms:
        return "waits for its turn"
    return "due now" if due_ms <= now_ms else f"tries again {ago(due_ms, now_ms)}"


def _held_back(stored: StoredEvent, now_ms: int, held: Holds) -> str | None:
    """A pause that outlasts its next attempt; anything else that keeps it from being sent although it is due."""
    due_ms = max(stored.state.due_ms or 0, now_ms)
    kind = held.types.get(stored.event.type)
    if kind is not None and _outlasts(kind.pause, due_ms):
        return f"its type is paused {_by(kind.pause, now_ms)}"
    lane = held.lanes.get(stored.event.integration_id)
    if lane is None:
        return None
    if lane.paused:
        return f"paused {_by(lane.pause, now_ms)}" if _outlasts(lane.pause, due_ms) else None
    state = holding(lane, now_ms) if due_ms <= now_ms else None
    return f"{state.name}: {state.why}" if state else None


def _outlasts(pause: Pause, due_ms: int) -> bool:
    return pause.until_ms is None or pause.until_ms > due_ms


def _by(pause: Pause, now_ms: int) -> str:
    """``by ops: deploy, ends in 4 h``."""
    who = f"by {pause.by}" if pause.by else "by hand"
    end = f", ends {ago(pause.until_ms, now_ms)}" if pause.until_ms else ""
    return f"{who}: {pause.reason}{end}" if pause.reason else f"{who}{end}"

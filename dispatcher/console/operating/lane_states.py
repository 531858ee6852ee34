"""All that keeps an integration's events from being delivered, in words, each with its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dispatcher.model.queue import LaneView
from dispatcher.model.verdict import Problem, ProblemKind
from dispatcher.pages.rendering import ago


@dataclass(frozen=True, slots=True)
class LaneState:
    """``name`` for the pill; ``why``: since when, by whom, until when."""

    look: str
    name: str
    why: str = ""


def lane_states(view: LaneView, now_ms: int, problems: Iterable[Problem] = ()) -> Sequence[LaneState]:
    """Empty = nothing holds them back, and none of its ``problems`` says that its host answers badly."""
    held = [state for state in (of(view, now_ms) for of in _HOLDS) if state]
    return held or failing(problems)


def holding(view: LaneView, now_ms: int) -> LaneState | None:
    """The first thing that holds all of its events back; a disabled URL holds those that go there only."""
    return next((state for of in _HOLDS if of is not _suspended and (state := of(view, now_ms))), None)


def failing(problems: Iterable[Problem]) -> Sequence[LaneState]:
    """Nothing holds its events back, and they are not delivered either."""
    since_ms = [one.finding.since_ms for one in problems if one.finding.kind is ProblemKind.FAILING]
    return [LaneState("bad", "failing", "attempts go out, and do not go well")] if since_ms else []


def _paused(view: LaneView, now_ms: int) -> LaneState | None:
    if not view.paused:
        return None
    pause = view.pause
    parts = [
        f"by {pause.by}" if pause.by else "",
        pause.reason,
        f"ends {ago(pause.until_ms, now_ms)}" if pause.until_ms else "no end",
    ]
    return LaneState("off", "paused", "; ".join(part for part in parts if part))


def _circuit(view: LaneView, now_ms: int) -> LaneState | None:
    until_ms = view.circuit_open_until_ms
    return LaneState("bad", "circuit open", f"tries again {ago(until_ms, now_ms)}") if until_ms else None


def _credentials(view: LaneView, now_ms: int) -> LaneState | None:
    since_ms = view.token_failing_since_ms
    return LaneState("bad", "no token", f"since {ago(since_ms, now_ms)}") if since_ms else None


def _suspended(view: LaneView, _: int) -> LaneState | None:
    urls = view.suspended_urls
    return LaneState("warn", "URL disabled", ", ".join(urls)) if urls else None


def _slowed(view: LaneView, now_ms: int) -> LaneState | None:
    until_ms = view.slowed_until_ms
    return LaneState("wait", "slowed by its host", f"goes on {ago(until_ms, now_ms)}") if until_ms else None


def _full(view: LaneView, _: int) -> LaneState | None:
    if view.concurrency is None or view.in_flight < view.concurrency:
        return None
    return LaneState("run", "at its limit", f"{view.concurrency} attempts at a time")


_HOLDS: tuple[Callable[[LaneView, int], LaneState | None], ...] = (
    _paused,
    _circuit,
    _credentials,
    _suspended,
    _slowed,
    _full,
)

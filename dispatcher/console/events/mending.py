"""The one thing that would let an event go on, by the reason why it waits: a form, or the page where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.event import Event
from dispatcher.model.queue import Reason

_PAGES = {
    Reason.CIRCUIT_OPEN: ("Ping its host", "/pings"),
    Reason.URL_SUSPENDED: ("To its URLs", "/urls"),
    Reason.SKIPPED: ("To its URLs", "/urls"),
    Reason.FILTERED: ("To its filter", "/edit"),
    Reason.RATE_LIMITED: ("To its limits", "/limits"),
    Reason.CONCURRENCY: ("To its limits", "/limits"),
}
"""Of the integration: words, and the end of the address."""


@dataclass(frozen=True, slots=True)
class Mend:
    """``posted``: a form that does it; else a way to a page."""

    name: str
    path: str
    posted: bool = False


def mend(reason: Reason, event: Event, viewer: Viewer) -> Mend | None:
    """None = there is none, or not for this viewer."""
    if reason is Reason.PAUSED and viewer.operates:
        return Mend("Resume the integration", f"{HOME}/lanes/{event.integration_id}/resume", posted=True)
    if reason is Reason.TYPE_PAUSED and viewer.operates and not viewer.bound:
        return Mend("Resume the type", f"{HOME}/event-types/{event.type.value}/resume", posted=True)
    if reason is Reason.NO_WORKER and viewer.sees_queue:
        return Mend("Look at the workers", f"{HOME}/workers")
    if reason in _PAGES and viewer.sees_integrations:
        name, end = _PAGES[reason]
        return Mend(name, f"{HOME}/integrations/{event.integration_id}{end}")
    return None

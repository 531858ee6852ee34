"""The console's navigation as a table: a row for each page that is reached from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatcher.console.viewer import Viewer

HOME = "/console"


@dataclass(frozen=True, slots=True)
class Entry:
    """``key``: pressed after ``g``. ``news``: how many new things there are to see."""

    name: str
    path: str
    shown_to: Callable[[Viewer], bool]
    key: str = ""
    news: Callable[[Viewer], int] = lambda _: 0


ENTRIES: tuple[Entry, ...] = (
    Entry("Overview", HOME, lambda viewer: viewer.sees_overview, "o"),
    Entry("Events", f"{HOME}/events", lambda viewer: viewer.sees_events, "e"),
    Entry("Dead letters", f"{HOME}/issues", lambda viewer: viewer.sees_overview, "d", lambda v: v.new_dead_letters),
    Entry("Bulk jobs", f"{HOME}/redeliveries", lambda viewer: viewer.sees_overview, "b"),
    Entry("Integrations", f"{HOME}/integrations", lambda viewer: viewer.sees_integrations, "i"),
)


def entries_for(viewer: Viewer) -> Sequence[Entry]:
    return [entry for entry in ENTRIES if entry.shown_to(viewer)]

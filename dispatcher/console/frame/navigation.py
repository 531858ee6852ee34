"""The console's navigation as a table: a row for each page that is reached from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatcher.console.frame.scopes import (
    SEES_ACCOUNTS,
    SEES_AUDIT,
    SEES_CLIENTS,
    SEES_INSTALLATIONS,
    SEES_MARKETPLACES,
    SEES_SETTINGS,
    SEES_TEMPLATES,
)

if TYPE_CHECKING:
    from dispatcher.console.frame.viewer import Viewer

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
    Entry("Pauses", f"{HOME}/pauses", lambda viewer: viewer.sees_overview and not viewer.bound, "p"),
    Entry("Workers", f"{HOME}/workers", lambda viewer: viewer.sees_queue, "w"),
    Entry("Integrations", f"{HOME}/integrations", lambda viewer: viewer.sees_integrations, "i"),
    Entry("Installations", f"{HOME}/installations", lambda viewer: viewer.may_see(SEES_INSTALLATIONS)),
    Entry("Accounts", f"{HOME}/accounts", lambda viewer: viewer.may_see(SEES_ACCOUNTS)),
    Entry("Marketplaces", f"{HOME}/marketplaces", lambda viewer: viewer.may_see(SEES_MARKETPLACES)),
    Entry("Connector templates", f"{HOME}/connector-templates", lambda viewer: viewer.may_see(SEES_TEMPLATES)),
    Entry("Audit", f"{HOME}/audit", lambda viewer: viewer.may_see(SEES_AUDIT) and not viewer.bound, "a"),
    Entry("Clients", f"{HOME}/clients", lambda viewer: viewer.may_see(SEES_CLIENTS) and not viewer.bound, "c"),
    Entry("Sessions", f"{HOME}/sessions", lambda viewer: viewer.sees_anything),
    Entry("Settings", f"{HOME}/settings", lambda viewer: viewer.may_see(SEES_SETTINGS) and not viewer.bound, "s"),
)


def entries_for(viewer: Viewer) -> Sequence[Entry]:
    return [entry for entry in ENTRIES if entry.shown_to(viewer)]

"""The console's navigation as a table: a row for each page that is reached from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dispatcher.console.frame.rights import Rights
from dispatcher.console.frame.scopes import (
    SEES_ACCOUNTS,
    SEES_AUDIT,
    SEES_CLIENTS,
    SEES_INSTALLATIONS,
    SEES_MARKETPLACES,
    SEES_SETTINGS,
    SEES_TEMPLATES,
)

HOME = "/console"


@dataclass(frozen=True, slots=True)
class Entry:
    """``key``: pressed after ``g``. ``counts_dead_letters``: it shows how many nobody has acknowledged."""

    name: str
    path: str
    shown_to: Callable[[Rights], bool]
    key: str = ""
    counts_dead_letters: bool = False


ENTRIES: tuple[Entry, ...] = (
    Entry("Overview", HOME, lambda rights: rights.sees_overview, "o"),
    Entry("Events", f"{HOME}/events", lambda rights: rights.sees_events, "e"),
    Entry("Dead letters", f"{HOME}/issues", lambda rights: rights.sees_overview, "d", counts_dead_letters=True),
    Entry("Bulk jobs", f"{HOME}/redeliveries", lambda rights: rights.sees_overview, "b"),
    Entry("Pauses", f"{HOME}/pauses", lambda rights: rights.sees_overview and not rights.bound, "p"),
    Entry("Workers", f"{HOME}/workers", lambda rights: rights.sees_queue, "w"),
    Entry("Integrations", f"{HOME}/integrations", lambda rights: rights.sees_integrations, "i"),
    Entry("Installations", f"{HOME}/installations", lambda rights: rights.may_see(SEES_INSTALLATIONS)),
    Entry("Accounts", f"{HOME}/accounts", lambda rights: rights.may_see(SEES_ACCOUNTS)),
    Entry("Marketplaces", f"{HOME}/marketplaces", lambda rights: rights.may_see(SEES_MARKETPLACES)),
    Entry("Connector templates", f"{HOME}/connector-templates", lambda rights: rights.may_see(SEES_TEMPLATES)),
    Entry("Audit", f"{HOME}/audit", lambda rights: rights.may_see(SEES_AUDIT) and not rights.bound, "a"),
    Entry("Clients", f"{HOME}/clients", lambda rights: rights.may_see(SEES_CLIENTS) and not rights.bound, "c"),
    Entry("Sessions", f"{HOME}/sessions", lambda rights: rights.sees_anything),
    Entry("Settings", f"{HOME}/settings", lambda rights: rights.may_see(SEES_SETTINGS) and not rights.bound, "s"),
)


def entries_for(rights: Rights) -> Sequence[Entry]:
    return [entry for entry in ENTRIES if entry.shown_to(rights)]

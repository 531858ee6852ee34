"""The screen's state and what a key makes of it. Pure: asks nobody, draws nothing, reads no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from dispatcher.cli.tailing.keys import BOTTOM, DOWN, ENTER, ERASE, ESCAPE, TOP, UP
from dispatcher.client.answers import ChangeJson

KEPT = 1000
"""Changes that can be looked back at."""
MOST_FILTER_CHARS = 1000
REDELIVERABLE = frozenset({"DEAD", "FAILED", "EXPIRED"})


class Wish(StrEnum):
    """A wish that a key expresses to whoever has the API."""

    DETAILS = "details"
    REDELIVER = "redeliver"
    FILTER = "filter"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Screen:
    """``selected`` None: the newest change, whatever comes. ``typed`` None: no filter is being typed."""

    changes: tuple[ChangeJson, ...] = ()
    selected: int | None = None
    filter: str = ""
    typed: str | None = None
    details: tuple[str, ...] | None = None
    asked: str = ""
    """Id of the event that is redelivered if the next key says so."""
    message: str = ""

    @property
    def at(self) -> int:
        """Position of the change that is looked at; -1 = there is none."""
        last = len(self.changes) - 1
        return last if self.selected is None else min(self.selected, last)

    @property
    def change(self) -> ChangeJson | None:
        return self.changes[self.at] if self.changes else None


def came(screen: Screen, change: ChangeJson) -> Screen:
    """One more change; the oldest goes. Whoever looks at an older one goes on looking at it."""
    gone = max(0, len(screen.changes) + 1 - KEPT)
    selected = None if screen.selected is None else max(0, screen.selected - gone)
    return replace(screen, changes=(*screen.changes[gone:], change), selected=selected)


def pressed(screen: Screen, key: str) -> tuple[Screen, Wish | None]:
    """The screen after a key, and what is to be asked of the API now."""
    if screen.typed is not None:
        return _typing(screen, screen.typed, key)
    if screen.asked:
        answered = replace(screen, asked="", message="" if key == "y" else "Not redelivered.")
        return answered, Wish.REDELIVER if key == "y" else None
    screen = replace(screen, message="")
    if key in _MOVES:
        return _moved(screen, key), None
    return _ACTS[key](screen) if key in _ACTS else (screen, None)


_MOVES = {"k": -1, UP: -1, "j": 1, DOWN: 1, "g": -KEPT, TOP: -KEPT, "G": KEPT, BOTTOM: KEPT}


def _moved(screen: Screen, key: str) -> Screen:
    """The last one is left as soon as another comes only if it was chosen by going up."""
    last = len(screen.changes) - 1
    at = max(0, screen.at + _MOVES[key])
    return replace(screen, selected=None if at >= last else at, details=None)


def _details(screen: Screen) -> tuple[Screen, Wish | None]:
    if screen.details is not None:
        return replace(screen, details=None), None
    if screen.change is None:
        return screen, None
    return replace(screen, selected=screen.at), Wish.DETAILS


def _redeliver(screen: Screen) -> tuple[Screen, Wish | None]:
    change = screen.change
    if change is None:
        return screen, None
    if change["status"] not in REDELIVERABLE:
        return replace(screen, message=f"Only a failed event is redelivered; this one is {change['status']}."), None
    text = f"Send {change['eventId']} again? y / n"
    return replace(screen, selected=screen.at, asked=change["eventId"], message=text), None


def _filter(screen: Screen) -> tuple[Screen, Wish | None]:
    return replace(screen, typed=screen.filter), None


def _quit(screen: Screen) -> tuple[Screen, Wish | None]:
    return screen, Wish.QUIT


def _closed(screen: Screen) -> tuple[Screen, Wish | None]:
    return replace(screen, details=None), None


_ACTS = {"d": _details, ENTER: _details, "r": _redeliver, "/": _filter, "q": _quit, ESCAPE: _closed}


def _typing(screen: Screen, typed: str, key: str) -> tuple[Screen, Wish | None]:
    if key == ESCAPE:
        return replace(screen, typed=None), None
    if key == ENTER:
        return replace(screen, typed=None, filter=typed.strip(), message=""), Wish.FILTER
    if key == ERASE:
        return replace(screen, typed=typed[:-1]), None
    if len(key) == 1 and len(typed) < MOST_FILTER_CHARS:
        return replace(screen, typed=typed + key), None
    return screen, None

"""The screen as lines of text, each within the width. Pure; colours are rich's to leave out where nobody wants them."""

from __future__ import annotations

from rich.text import Text

from dispatcher.cli.events.lines import COLOURS
from dispatcher.cli.tailing.state import Screen
from dispatcher.cli.terminal.output import cell
from dispatcher.client.answers import ChangeJson

KEYS = "j/k move  g/G ends  d details  r redeliver  / filter  q quit"
NOTHING_YET = "Nothing has changed yet."


def drawn(screen: Screen, width: int, height: int) -> Text:
    """A line of what is followed, as many changes as fit, details of one, and a line of keys or of what is asked."""
    details = [Text(one) for one in (screen.details or ())][: max(0, height - 4)]
    rows = max(1, height - 2 - len(details))
    lines = [_head(screen), *_changes(screen, rows), *details, _foot(screen)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def _head(screen: Screen) -> Text:
    what = cell(screen.filter) if screen.filter else "every change"
    place = "" if screen.selected is None else f"  {screen.at + 1} of {len(screen.changes)}"
    return Text(f"Following {what}{place}", style="bold")


def _changes(screen: Screen, rows: int) -> list[Text]:
    if not screen.changes:
        return [Text(NOTHING_YET), *[Text("")] * (rows - 1)]
    end = min(len(screen.changes), max(rows, screen.at + 1 + rows // 2))
    first = max(0, end - rows)
    shown = [_line(one, chosen=n == screen.at) for n, one in enumerate(screen.changes[first:end], first)]
    return shown + [Text("")] * (rows - len(shown))


def _line(change: ChangeJson, *, chosen: bool) -> Text:
    """The chosen one has a mark as well, for whoever sees no colours."""
    line = Text("> " if chosen else "  ", style="bold" if chosen else "")
    line.append(f"{change['at'][11:19]}  ")
    line.append(f"{change['status']:<15}", style=COLOURS.get(change["status"]) or "")
    tried = f"  attempt {change['attempts']}" if change["attempts"] else ""
    answer = f" {change['httpStatus']}" if change["httpStatus"] else ""
    event = f"{change['type']:<19}  {change['eventId']}  {cell(change['accountId'])}"
    return line.append(f"  {event}{tried}{answer}")


def _foot(screen: Screen) -> Text:
    if screen.typed is not None:
        return Text(f"/{cell(screen.typed)}_   enter applies, escape does not")
    return Text(screen.message) if screen.message else Text(KEYS, style="dim")

"""The whole screen of ``dispatcher tail``: what keys make of it, and what is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.cli.tailing.drawing import KEYS, NOTHING_YET, drawn
from dispatcher.cli.tailing.keys import DOWN, ENTER, ERASE, ESCAPE, UP, keys_in
from dispatcher.cli.tailing.state import KEPT, Screen, Wish, came, pressed
from dispatcher.client.answers import ChangeJson


def change(number: int, status: str = "DEAD", account: str | None = "A") -> ChangeJson:
    return {
        "eventId": f"event-{number}",
        "status": status,
        "type": "SUBSCRIPTION_CHANGE",
        "integrationId": "i",
        "accountId": account,
        "at": "2026-01-02T03:04:05.678Z",
        "attempts": 2,
        "attempt": 2,
        "httpStatus": 503,
    }


def screen_of(how_many: int) -> Screen:
    screen = Screen()
    for number in range(how_many):
        screen = came(screen, change(number))
    return screen


def after(screen: Screen, *keys: str) -> tuple[Screen, Wish | None]:
    wish = None
    for key in keys:
        screen, wish = pressed(screen, key)
    return screen, wish


def looked_at(screen: Screen) -> str | None:
    return screen.change["eventId"] if screen.change else None


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("jk", ["j", "k"]),
        ("\x1b[A\x1b[B", [UP, DOWN]),
        ("\x1bOA", [UP]),
        ("\x1b", [ESCAPE]),
        ("\x1b[15~q", ["q"]),
        ("\x1b[", []),
        ("a\x7f\r", ["a", ERASE, ENTER]),
        ("\x01é", ["é"]),
    ],
)
def test_bytes_of_a_terminal_are_keys(text: str, keys: list[str]) -> None:
    assert keys_in(text) == keys


def test_the_newest_is_looked_at_until_somebody_goes_up() -> None:
    screen = came(screen_of(3), change(3))
    assert looked_at(screen) == "event-3"
    screen, _ = after(screen, "k", UP)
    assert looked_at(screen) == "event-1"
    assert looked_at(came(screen, change(4))) == "event-1"
    assert looked_at(after(screen, "G")[0]) == "event-3"
    assert looked_at(after(screen, "g")[0]) == "event-0"


def test_only_so_many_changes_are_kept() -> None:
    screen, _ = after(screen_of(KEPT), "g", "j", "j")
    screen = came(screen, change(KEPT))
    assert (len(screen.changes), looked_at(screen)) == (KEPT, "event-2")


def test_moving_where_nothing_came_changes_nothing() -> None:
    for key in "jkgGdr":
        screen, wish = after(Screen(), key)
        assert (screen.change, wish) == (None, None)


def test_d_asks_for_details_and_closes_them() -> None:
    screen, wish = after(screen_of(2), "d")
    assert wish is Wish.DETAILS
    shown = replace(screen, details=("why",))
    assert after(shown, "d")[0].details is None
    assert after(shown, ESCAPE)[0].details is None


def test_a_failed_event_is_redelivered_once_somebody_says_yes() -> None:
    screen, wish = after(screen_of(2), "r")
    assert (wish, screen.asked) == (None, "event-1")
    assert "again?" in screen.message
    assert after(came(screen, change(9)), "y")[1] is Wish.REDELIVER
    assert after(screen, "n")[1] is None
    assert after(screen, "q")[1] is None, "any other key is a no, and nothing else"


def test_an_event_that_did_not_fail_is_not_redelivered() -> None:
    screen, wish = after(came(Screen(), change(1, "SUCCEEDED")), "r")
    assert (wish, screen.asked) == (None, "")
    assert "SUCCEEDED" in screen.message


def test_a_filter_is_typed_and_applied_or_left() -> None:
    typing, _ = after(Screen(), "/", *"status:deax", ERASE, "d")
    assert typing.typed == "status:dead"
    screen, wish = after(typing, ENTER)
    assert (wish, screen.filter, screen.typed) == (Wish.FILTER, "status:dead", None)
    left, wish = after(typing, ESCAPE)
    assert (wish, left.filter, left.typed) == (None, "", None)
    assert after(screen, "/")[0].typed == "status:dead", "it can be changed"
    assert after(Screen(), "q")[1] is Wish.QUIT


@pytest.mark.parametrize(("width", "height"), [(80, 24), (20, 5), (200, 50), (1, 1)])
@pytest.mark.parametrize("how_many", [0, 3, 400])
def test_what_is_drawn_fits_the_window(width: int, height: int, how_many: int) -> None:
    screen = replace(after(screen_of(how_many), "k")[0], details=("a" * 300,) * 60)
    lines = drawn(screen, width, height).plain.split("\n")
    assert len(lines) <= max(height, 3)
    assert all(len(line) <= width for line in lines)


def test_the_chosen_one_is_in_view_and_marked_without_colour() -> None:
    screen, _ = after(screen_of(400), "g", *["j"] * 150)
    marked = [line for line in drawn(screen, 120, 20).plain.split("\n") if line.startswith("> ")]
    assert ["event-150" in line for line in marked] == [True]


def test_foreign_text_steers_no_terminal() -> None:
    screen = came(Screen(), change(1, account="\x1b[2Jacme"))
    assert "\x1b" not in drawn(screen, 120, 20).plain


def test_an_empty_screen_says_so_and_names_the_keys() -> None:
    text = drawn(Screen(), 100, 10).plain
    assert NOTHING_YET in text
    assert text.endswith(KEYS)

"""Saved views: their names, their number, and who shares them."""

from __future__ import annotations

import pytest

from dispatcher.errors import Conflict, NotFound, Refused, Unprocessable
from dispatcher.model.access import Caller, Scope
from dispatcher.model.saved_view import SavedView, SavedViews
from dispatcher.policy.saved_views import MAX_NAME_CHARS, MOST, put, reach_of, without

VIEWER = Caller("viewer", frozenset({Scope.EVENTS_READ}))
OPERATOR = Caller("operator", frozenset({Scope.EVENTS_READ, Scope.OPS_WRITE}))
PUBLISHER = Caller("publisher", frozenset({Scope.EVENTS_READ, Scope.EVENTS_WRITE}), vendor_id="V")


def view(name: str, view_id: str = "") -> SavedView:
    return SavedView(view_id or name, name, (("q", "status:dead"),), "somebody", "", 0)


def test_views_are_in_the_order_of_their_names_and_in_one_list_each() -> None:
    views = SavedViews()
    for name in ("beta", "Alpha", "gamma"):
        views = put(views, view(name), OPERATOR, shared=False)
    views = put(views, view("Beta two", "beta"), OPERATOR, shared=True)
    assert [one.name for one in views.own] == ["Alpha", "gamma"]
    assert [one.name for one in views.shared] == ["Beta two"]
    views = without(views, "beta", OPERATOR)
    assert views.shared == ()


@pytest.mark.parametrize("name", ["Dead letters", "DEAD LETTERS", "ｄead letters"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_name_is_given_once_among_what_somebody_sees(name: str, shared: bool) -> None:
    views = put(SavedViews(), view("Dead letters"), OPERATOR, shared=shared)
    with pytest.raises(Conflict, match="choose another name") as raised:
        put(views, view(name, "other"), OPERATOR, shared=False)
    assert raised.value.problems[0].field == "name"
    assert put(views, view(name, "Dead letters"), OPERATOR, shared=shared).find("Dead letters") is not None


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME_CHARS + 1), "two\nlines", "\u202eturned"])
def test_a_name_is_one_line_that_can_be_read(name: str) -> None:
    with pytest.raises(Unprocessable):
        put(SavedViews(), view(name), OPERATOR, shared=False)


def test_each_list_is_bounded() -> None:
    views = SavedViews(tuple(view(f"v{n:02}") for n in range(MOST)))
    with pytest.raises(Conflict, match="delete one"):
        put(views, view("one more"), OPERATOR, shared=False)
    assert len(put(views, view("one more"), OPERATOR, shared=True).shared) == 1
    assert len(put(views, view("v00"), OPERATOR, shared=False).own) == MOST


def test_those_who_only_look_have_views_and_share_none() -> None:
    views = put(SavedViews(), view("mine"), VIEWER, shared=False)
    views = put(views, view("ours"), PUBLISHER, shared=True)
    for name, shared in (("mine", True), ("ours", False), ("ours", True)):
        with pytest.raises(Refused):
            put(views, view(name), VIEWER, shared=shared)
    with pytest.raises(Refused):
        without(views, "ours", VIEWER)
    assert without(views, "mine", VIEWER).own == ()
    with pytest.raises(NotFound):
        without(views, "nothing", VIEWER)


def test_whoever_is_bound_otherwise_shares_with_others() -> None:
    bound = (
        VIEWER,
        PUBLISHER,
        Caller("c", frozenset(), account_id="V"),
        Caller("c", frozenset(), marketplaces=frozenset({2, 1})),
        Caller("c", frozenset(), vendor_id="V", account_id="V"),
        Caller("c", frozenset(), vendor_id="None"),
    )
    assert len({reach_of(one) for one in bound}) == len(bound)
    assert reach_of(VIEWER) == reach_of(OPERATOR)

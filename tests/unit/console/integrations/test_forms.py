"""Forms of an integration: fields have a place, and a new one needs none."""

from __future__ import annotations

from dispatcher.console.integrations.forms import with_the_rest

PLACED = {"/edit": {"What it is": ("name",)}, "/limits": {"How much": ("concurrency",)}}


def test_a_field_without_a_place_stands_last_in_the_first_form() -> None:
    forms = with_the_rest(PLACED, ["name", "colour", "concurrency"])
    assert forms == {"/edit": {"What it is": ("name",), "More": ("colour",)}, "/limits": PLACED["/limits"]}


def test_where_every_field_has_a_place_there_is_no_section_for_the_rest() -> None:
    assert with_the_rest(PLACED, ["name", "concurrency"]) == PLACED

"""A variable that is not set leaves an empty value: no verb takes one, whichever option or argument it is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from dispatcher.cli.main import VERBS, build
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


def places() -> Iterator[tuple[str, ...]]:
    """Every way to write an empty value: the words of a verb, then the option if it is one's."""
    for verb in VERBS:
        command: Any = get_command(build([verb.name]))
        yield from _places(command.commands[verb.name], verb.name)


def _places(command: Any, *words: str) -> Iterator[tuple[str, ...]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield from _places(inner, *words, name)
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield words
        elif not parameter.is_flag:
            yield *words, parameter.opts[0]


PLACES = list(places())


@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_no_verb_takes_an_empty_value(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    option = words[-1] if words[-1].startswith("-") else ""
    ended = dispatcher(capsys, *words, "")
    assert ended.status == 2
    assert f"{option} is empty: is a variable unset?" in ended.err


def test_options_and_arguments_of_verbs_and_of_their_verbs_are_looked_at() -> None:
    assert {("explain",), ("clients", "disable"), ("emit", "--key"), ("audit", "--data-dir")} <= set(PLACES)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--status", "dead", "--account", ""), "--account"),
        (("--account=",), "--account"),
        (("--status", "dead", "--status", ""), "--status"),
        (("an-id", ""), "ID"),
    ],
)
def test_an_empty_value_is_found_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str
) -> None:
    ended = dispatcher(capsys, "redeliver", "--dry-run", *arguments)
    assert ended.status == 2
    assert f"error: {named} is empty: is a variable unset?" in ended.err

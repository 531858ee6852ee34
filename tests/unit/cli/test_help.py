"""Help of every verb: an example that can be typed, and completion that knows the same verbs and options."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dispatcher.cli.main import VERBS, build
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb, and every verb of a verb, with the words that name it."""
    for verb in VERBS:
        yield from _within(get_command(build([verb.name])).commands[verb.name], verb.name)  # type: ignore[attr-defined]


def _within(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield words, command
    for name, one in inner.items():
        yield from _within(one, *words, name)


COMMANDS = list(commands())


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_every_verb_shows_an_example_that_it_takes(words: tuple[str, ...], command: Any) -> None:
    assert command.epilog.startswith(f"Example: dispatcher {' '.join(words)}")
    given = shlex.split(command.epilog.partition(f" {' '.join(words)}")[2].partition(" >")[0])
    command.make_context(words[-1], given)
    shown = CliRunner().invoke(build(words[:1]), [*words, "--help"], env={"COLUMNS": "200"}).output
    assert shown.count("Example: ") == 1


def test_completion_lines_are_printed_for_each_shell(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_DISPATCHER_COMPLETE=complete_" + shell in dispatcher(capsys, "completion", shell).out
    assert dispatcher(capsys, "completion", "csh").status == 2


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("dispatcher dead", {"dead-letters"}),
        ("dispatcher redeliver --r", {"--rate"}),
        ("dispatcher pause --f", {"--for"}),
    ],
)
def test_a_shell_is_told_verbs_and_their_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, wanted: set[str]
) -> None:
    monkeypatch.setenv("_DISPATCHER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert set(dispatcher(capsys).out.split()) == wanted


def test_the_page_lists_every_verb_in_the_order_of_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/command-line.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `dispatcher ")]
    assert rows == [f"| `dispatcher {verb.name}` | {verb.summary} |" for verb in VERBS]

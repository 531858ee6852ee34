"""Output of ``dispatcher status``: fits a terminal, leaves commands whole, and no foreign text steers it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dispatcher.cli.operating import status
from dispatcher.clock import iso_ms

LONG = "Northwind refuses connections since 14:02 UTC; next try in 12 s; 14 events of 9 accounts wait, none is lost."
COMMAND = "dispatcher pause 5f157a26-0238-4f3f-9c31-1f3e65b4713e --reason 'host is down' --for 2h"


def verdict(**changes: Any) -> Any:
    problem = {
        "id": "circuit_open:x",
        "kind": "circuit_open",
        "severity": "page",
        "text": LONG,
        "since": "2026-11-29T14:02:00.000Z",
        "actions": [{"name": "Pause", "command": COMMAND}],
    }
    said = {"ok": False, "text": LONG, "at": iso_ms(int(time.time() * 1000)), "problems": [problem], "more": 0}
    return said | changes


def shown(said: Any, width: int | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(status, "terminal_width", lambda: width)
    status._show(said)
    return capsys.readouterr().out


def test_sentences_are_broken_between_words_at_eighty_columns_and_commands_never(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(verdict(), 80, capsys, monkeypatch).splitlines()
    assert lines[0].startswith("PAGE  Northwind refuses connections")
    assert lines[1].startswith("      ")
    assert all(len(line) <= 80 for line in lines if COMMAND not in line)
    assert any(COMMAND in line for line in lines)


def test_a_pipe_gets_a_line_a_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"PAGE  {LONG}\n" in shown(verdict(), None, capsys, monkeypatch)


def test_what_is_well_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = verdict(ok=True, text="All is well: 0.0/s.", problems=[], more=0)
    assert shown(said, 80, capsys, monkeypatch).startswith("All is well: 0.0/s.\nas of ")


def test_more_than_is_listed_is_counted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "… and 50 more problems" in shown(verdict(more=50), 80, capsys, monkeypatch)


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    problem = verdict()["problems"][0] | {"text": "\x1b[2Jgone"}
    assert "\x1b[2J" not in shown(verdict(problems=[problem]), 80, capsys, monkeypatch)

"""Verbs that concern much ask whoever sits at a terminal, and no script."""

from __future__ import annotations

import io
import sys

import pytest

from dispatcher.cli.terminal.asking import agreed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "said"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_whoever_sits_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, answer: str, said: bool) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stdout", shown)
    assert agreed("Make these 3 changes?") is said
    assert "Make these 3 changes? [y/N]" in shown.getvalue()


def test_a_script_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert agreed("Make this change?")

"""`dispatcher integrations apply` asks whoever sits at a terminal, and no script."""

from __future__ import annotations

import io
import sys

import pytest

from dispatcher.cli.publishing.declaring import _agreed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_person_is_asked_after_the_difference(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stdout", shown)
    assert _agreed(3) is agreed
    assert "Make these 3 changes? [y/N]" in shown.getvalue()


def test_a_script_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert _agreed(1)

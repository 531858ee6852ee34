"""Words of the demo: commands to try next, and complaints where its story went wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.cli.demo.hints import program
from dispatcher.cli.demo.story import KINDS, RETRIED, Line, complaints
from dispatcher.sample_host import Notification
from tests.cli.data_folder import folder

__all__ = ["folder"]


def test_suggested_commands_begin_as_this_one_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "dispatcher"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert program(str(script)) == ["bin/dispatcher"]
    monkeypatch.setenv("PATH", str(script.parent))
    assert program(str(script)) == ["dispatcher"]
    assert program("/somewhere/dispatcher/cli/main.py")[1:] == ["-m", "dispatcher.cli.main"]


def notification(event_id: str, **changes: object) -> Notification:
    genuine = Notification(event_id, "SUBSCRIPTION_ORDER", 1, None, True, "genuine", True, False, 200, {}, 0.0)
    return replace(genuine, **changes)  # type: ignore[arg-type]


def good_story() -> tuple[list[Line], list[Notification]]:
    lines = [
        Line(name, name, sequence=n, status="SUCCEEDED", attempts=1, consumed=True, seen=notification(name))
        for n, name in enumerate(KINDS, start=1)
    ]
    lines = [replace(line, attempts=2) if line.name == RETRIED else line for line in lines]
    received = [notification(name) for name in KINDS]
    received += [notification(f"about {name}", type="SUBSCRIPTION_STATUS") for name in KINDS]
    received.insert(1, notification(RETRIED, status=503))
    return lines, received


def test_demo_is_content_when_all_went_as_it_should() -> None:
    assert complaints(*good_story()) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"status": "DEAD", "error": "TRANSPORT_ERROR"}, "create is DEAD after 1 attempts: TRANSPORT_ERROR"),
        ({"status": "QUEUED"}, "create is QUEUED"),
        ({"seen": None}, "never received"),
        ({"seen": notification("create", genuine=False, text="wrong secret")}, "wrong secret"),
        ({"seen": notification("create", authorised=False)}, "did not find it genuine"),
        ({"attempts": 2}, "create took 2 attempts, not 1"),
    ],
)
def test_demo_complains_of_every_event_that_did_not_end_as_it_should(change: dict[str, object], text: str) -> None:
    lines, received = good_story()
    lines[0] = replace(lines[0], **change)  # type: ignore[arg-type]
    (found,) = complaints(lines, received)
    assert text in found


def test_demo_complains_of_lost_order_and_lost_status_notifications() -> None:
    lines, received = good_story()
    received[0], received[2] = received[2], received[0]
    (found,) = complaints(lines, received)
    assert "in their order" in found
    lines, received = good_story()
    (found,) = complaints(lines, received[:-1])
    assert "5 status notifications, not 6" in found

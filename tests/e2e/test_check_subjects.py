"""Commit subjects are looked at when they are written, and over a range when they are proposed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import Ran, completed

SCRIPT = Path(".ci/check-subjects").resolve()
LONGEST = "S" * 72
WRONG = {LONGEST + "S": "73 characters", "End with a full stop.": "full stop"}


def checked(argument: str | Path, folder: Path) -> Ran:
    return completed([str(SCRIPT), str(argument)], folder)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    ran = completed(["git", *identity, *arguments], folder)
    assert ran.status == 0, ran.said


@pytest.mark.parametrize("subject", [LONGEST, "Größe in 40 Zeichen: " + "ü" * 51, "fixup! Say why"])
def test_message_in_order_passes(tmp_path: Path, subject: str) -> None:
    message = tmp_path / "message"
    message.write_text(f"# a comment of git's\n{subject}\n\n{'A body may be as wide as it likes. ' * 4}\n")
    done = checked(message, tmp_path)
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(("subject", "told"), WRONG.items())
def test_message_is_refused_with_its_reason(tmp_path: Path, subject: str, told: str) -> None:
    message = tmp_path / "message"
    message.write_text(subject)
    done = checked(message, tmp_path)
    assert done.status == 1
    assert told in done.err


def test_range_is_judged_as_a_whole_from_where_it_begins(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    for subject in [LONGEST + "S", "Begin", *WRONG, "fixup! Begin"]:
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", subject)
    assert checked("HEAD~4..HEAD~3", tmp_path).status == 0
    assert checked("HEAD..HEAD", tmp_path).status == 0
    done = checked("HEAD~3..HEAD", tmp_path)
    assert done.status == 1
    assert len(done.err.splitlines()) == 3
    assert "rebase with --autosquash" in done.err

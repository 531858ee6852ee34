"""Commit subjects are looked at when they are written, and over a range when they are proposed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(".ci/check-subjects").resolve()
LONGEST = "S" * 72
WRONG = {LONGEST + "S": "73 characters", "End with a full stop.": "full stop"}


def checked(argument: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, argument], cwd=folder, check=False, capture_output=True, text=True, timeout=20)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    ran = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


@pytest.mark.parametrize("subject", [LONGEST, "Größe in 40 Zeichen: " + "ü" * 51, "fixup! Say why"])
def test_message_in_order_passes(tmp_path: Path, subject: str) -> None:
    message = tmp_path / "message"
    message.write_text(f"# a comment of git's\n{subject}\n\n{'A body may be as wide as it likes. ' * 4}\n")
    done = checked(message, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("subject", "told"), WRONG.items())
def test_message_is_refused_with_its_reason(tmp_path: Path, subject: str, told: str) -> None:
    message = tmp_path / "message"
    message.write_text(subject)
    done = checked(message, tmp_path)
    assert done.returncode == 1
    assert told in done.stderr


def test_range_is_judged_as_a_whole_from_where_it_begins(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    for subject in [LONGEST + "S", "Begin", *WRONG, "fixup! Begin"]:
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", subject)
    assert checked("HEAD~4..HEAD~3", tmp_path).returncode == 0
    assert checked("HEAD..HEAD", tmp_path).returncode == 0
    done = checked("HEAD~3..HEAD", tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 3
    assert "rebase with --autosquash" in done.stderr

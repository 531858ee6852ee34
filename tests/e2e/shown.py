"""Pages whose shell is run: their fenced blocks, and what a block printed compared with what the page shows."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.programs import completed_with_its_children

ROOT = Path(__file__).parents[2]
END = "--- end of block ---"
DEADLINE_S = 90.0


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the word after it, and its text."""

    language: str
    tag: str
    text: str


def blocks_of(page: str) -> list[Block]:
    found = re.findall(r"^```(\w+) ?([\w-]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(*parts) for parts in found]


def masked(text: str) -> str:
    """Without what differs from run to run: ids, ports, durations, width of columns."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    return re.sub(r"[ \t]+", " ", re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", text)).strip()


def assert_shown(shown: str, printed: str) -> None:
    """Every line that a page shows was printed; more may have been."""
    lines = [masked(line) for line in printed.splitlines()]
    for line in shown.splitlines():
        assert masked(line) in lines, printed


def run(command: list[str], folder: Path, deadline_s: float = DEADLINE_S, **more: str) -> str:
    """Output of a command, which and whose children do not outlive this call."""
    settings = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "200"} | more
    ran = completed_with_its_children(command, folder, settings, deadline_s)
    assert ran.status == 0, ran.out
    return ran.out


def fill_checkout(place: Path) -> None:
    """Things that a page finds after `make demo`: programs of a virtual environment, and the examples."""
    programs = place / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f'export PATH="{programs}:$PATH"\n')
    (programs / "dispatcher").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dispatcher.cli.main "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    (place / "examples").symlink_to(ROOT / "examples")

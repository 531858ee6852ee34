"""The command line run in this process. Holds no test."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from dispatcher.cli.main import main


class Ended(NamedTuple):
    """The end of one run of the command, and its output."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def dispatcher(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """``dispatcher`` with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return Ended(int(ended.value.code or 0), captured.out, captured.err)

"""A question before something that concerns much. Nobody is asked without a terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; nobody is asked without a terminal.")]


def somebody_watches() -> bool:
    """Both what is asked and what is answered go over a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str) -> bool:
    """Yes of whoever sits at a terminal; a script is not asked."""
    return typer.confirm(question) if somebody_watches() else True

"""``dispatcher completion``: the lines that make a shell complete verbs and options. Installs nothing by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]

from dispatcher.cli.main import COMPLETING

PROGRAM = "dispatcher"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the lines for a shell's start file; `dispatcher --install-completion` puts them there.

    Example: dispatcher completion bash >> ~/.bashrc
    """
    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=COMPLETING, shell=shell.value))

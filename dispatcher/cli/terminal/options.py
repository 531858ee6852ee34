"""Options and arguments of verbs, and the example in their help.

Refuses empty values: a shell makes one of a variable that is not set.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from typer.core import TyperCommand

from dispatcher.errors import ConfigurationError

EXAMPLE = "\n\nExample: "
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")


class VerbCommand(TyperCommand):
    """A verb whose options and arguments are never empty: as a condition ``""`` would hold for everything.

    A last paragraph of its docstring, ``Example: …``, stands below its options.
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        _, mark, example = inspect.cleandoc(getattr(self.callback, "__doc__", None) or "").partition(EXAMPLE)
        if mark:
            self.help = (self.help or "").partition(EXAMPLE)[0]
            self.epilog = (mark + example).strip()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the texts before they are converted: as a path ``""`` would be the current folder."""
        options, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = options.get(parameter.name)
            if "" in (value if isinstance(value, list | tuple) else [value]):
                raise ConfigurationError(f"{_name(parameter)} is empty: is a variable unset?")
        return super().parse_args(ctx, args)


def require_name(option: str, text: str | None) -> None:
    """Raises ConfigurationError for what the API would not take; an empty one restricts a client to nobody."""
    if text is not None and not _NAME.fullmatch(text):
        raise ConfigurationError(f"{option} takes 1 to 255 characters without control characters: is a variable unset?")


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name).strip("[].")

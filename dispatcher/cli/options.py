"""Options and arguments of verbs. Refuses empty ones: a shell makes one of a variable that is not set."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from dispatcher.errors import ConfigurationError


class VerbCommand(TyperCommand):
    """A verb whose options and arguments are never empty: as a condition ``""`` would hold for everything."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the texts before they are converted: as a path ``""`` would be the current folder."""
        options, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = options.get(parameter.name)
            if "" in (value if isinstance(value, list | tuple) else [value]):
                raise ConfigurationError(f"{_name(parameter)} is empty: is a variable unset?")
        return super().parse_args(ctx, args)


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name).strip("[].")

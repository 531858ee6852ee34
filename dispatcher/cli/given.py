"""What was typed for a verb. Never lets an empty value pass: a shell makes one of a variable that is not set."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from dispatcher.errors import ConfigurationError


class VerbCommand(TyperCommand):
    """A verb none of whose options and arguments may be empty. As a condition ``""`` would hold for everything."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Looks at the text itself: as a path ``""`` would be the folder that one is in."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = given.get(parameter.name)
            if "" in (value if isinstance(value, list | tuple) else [value]):
                raise ConfigurationError(f"{_name(parameter)} is empty: is a variable unset?")
        return super().parse_args(ctx, args)


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name).strip("[].")

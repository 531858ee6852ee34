"""Beginning of every verb: the settings, and a loop to run in. Loads no log and no store, which many never need.

The only place of the command line that reads settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic import ValidationError

from dispatcher.errors import ConfigurationError
from dispatcher.settings import PREFIX, Settings

T = TypeVar("T")


def load_settings(**overrides: object) -> Settings:
    """From the environment; an override that is None counts as not given. Raises ConfigurationError."""
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [_problem(item["loc"], item["msg"]) for item in error.errors(include_input=False)]
        raise ConfigurationError("; ".join(problems) + " (`dispatcher config` explains every setting)") from None


def run(main: Coroutine[Any, Any, T]) -> T:
    """``main`` to its end. A second stop signal ends it as Ctrl-C would: with KeyboardInterrupt."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(main)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop


def _problem(location: tuple[int | str, ...], message: str) -> str:
    """Names the variable, where it is of one; several that do not go together are named in the message."""
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {text}" if location else text

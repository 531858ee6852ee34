"""The one way in which tests wait for what they cannot be told of: look again and again, until a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar, overload

T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...]

WITHIN_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.05


@overload
async def until(
    look: Callable[[], Awaitable[T | None]],
    within_s: float = ...,
    *,
    despite: Errors = ...,
    tell: Callable[[], str] = ...,
) -> T: ...
@overload
async def until(
    look: Callable[[], T | None], within_s: float = ..., *, despite: Errors = ..., tell: Callable[[], str] = ...
) -> T: ...
async def until(
    look: Callable[[], Any], within_s: float = WITHIN_S, *, despite: Errors = (), tell: Callable[[], str] = str
) -> Any:
    """The first answer of ``look`` that is true; an error in ``despite`` is none.

    Raises ``TimeoutError`` with the last answer and with what ``tell`` says, also when one look takes too long.
    """
    found: Any = None
    try:
        async with asyncio.timeout(within_s):
            for pause_s in _pauses():
                with contextlib.suppress(*_each(despite)):
                    answer = look()
                    found = await answer if inspect.isawaitable(answer) else answer
                    if found:
                        return found
                await asyncio.sleep(pause_s)
    except TimeoutError as late:
        raise TimeoutError(_too_late(within_s, found, tell)) from late


def wait_until(
    look: Callable[[], T | None],
    within_s: float = WITHIN_S,
    *,
    despite: Errors = (),
    tell: Callable[[], str] = str,
) -> T:
    """``until`` where no event loop runs; a look must end by itself."""
    found: T | None = None
    deadline_s = time.monotonic() + within_s
    for pause_s in _pauses():
        with contextlib.suppress(*_each(despite)):
            found = look()
            if found:
                return found
        if time.monotonic() > deadline_s:
            break
        time.sleep(pause_s)
    raise TimeoutError(_too_late(within_s, found, tell))


def _each(errors: Errors) -> tuple[type[Exception], ...]:
    return errors if isinstance(errors, tuple) else (errors,)


def _pauses() -> Iterator[float]:
    """Short at first, since most things are there at once; then such that waiting costs nothing."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _too_late(within_s: float, found: object, tell: Callable[[], str]) -> str:
    return f"not within {within_s:g} s; the last look found {found!r}. {tell()}"

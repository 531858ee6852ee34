"""Sends events in at their own times, whether or not earlier ones were answered. Judges nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.cli.bench.load import Events, Load
from dispatcher.client import ApiError, Client, Unreachable

PASSING = frozenset({429, 500, 502, 503, 504})
REPEAT_S = 0.5


@dataclass(frozen=True, slots=True)
class Sent:
    """One event. ``due_s``, ``answered_s``: on the monotonic clock. ``event_id`` None = no receipt; ``said`` why.

    ``refused``: the API will not have it; else nobody knows what became of it.
    """

    due_s: float
    answered_s: float
    event_id: str | None
    asked: int
    said: str = ""
    refused: bool = False


async def send(client: Client, events: Events, load: Load, begin_s: float, done: Callable[[Sent], None]) -> list[Sent]:
    """Every event, in the order in which they were due. ``done`` hears of each as it is answered."""
    tasks: list[asyncio.Task[Sent]] = []
    give_up_s = begin_s + load.seconds + load.within
    try:
        for number in range(load.events):
            due_s = begin_s + number / load.rate
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            task = asyncio.create_task(_emit(client, events, number, due_s, give_up_s))
            task.add_done_callback(lambda one: None if one.cancelled() or one.exception() else done(one.result()))
            tasks.append(task)
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _emit(client: Client, events: Events, number: int, due_s: float, give_up_s: float) -> Sent:
    """Asks again with the same key for as long as nobody says what became of it."""
    asked = 0
    while True:
        asked += 1
        try:
            accepted = await client.emit(events.event(number), events.key(number))
            return Sent(due_s, time.monotonic(), accepted["id"], asked)
        except Unreachable as error:
            said = str(error)
        except ApiError as error:
            said = str(error)
            if error.status not in PASSING:
                return Sent(due_s, time.monotonic(), None, asked, said, refused=True)
        if time.monotonic() > give_up_s:
            return Sent(due_s, time.monotonic(), None, asked, said)
        await asyncio.sleep(REPEAT_S)

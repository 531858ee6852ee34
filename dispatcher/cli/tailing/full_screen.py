"""The loop behind the screen: changes that come, keys that are pressed, and what they ask of the API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console
from rich.live import Live
from rich.text import Text

from dispatcher.cli.tailing.drawing import drawn
from dispatcher.cli.tailing.keys import each_at_once, keys_in
from dispatcher.cli.tailing.state import Screen, Wish, came, pressed
from dispatcher.cli.terminal.output import cell
from dispatcher.client import ApiError, Client, Unreachable

DRAWN_EVERY_S = 0.1
"""However much changes."""
READ_BYTES = 1024
ATTEMPTS_SHOWN = 5
NOT_ADMITTED = frozenset({401, 403})


class FullScreen:
    """One run of the screen."""

    def __init__(self, client: Client, wanted: Mapping[str, str], console: Console) -> None:
        self._client = client
        self._wanted = {name: value for name, value in wanted.items() if name != "q"}
        self._screen = Screen(filter=wanted.get("q", ""))
        self._console = console
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure: ApiError | Unreachable | None = None
        self._following: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until somebody quits. Raises ``Unreachable``, and ``ApiError`` for whoever is not admitted."""
        loop = asyncio.get_running_loop()
        with each_at_once(), Live(Text(), console=self._console, screen=True, auto_refresh=False) as live:
            loop.add_reader(sys.stdin.fileno(), self._read)
            self._follow()
            try:
                await self._draw(live)
            finally:
                loop.remove_reader(sys.stdin.fileno())
                for task in (*self._asking, self._following):
                    if task is not None:
                        task.cancel()
        if self._failure is not None:
            raise self._failure

    async def _draw(self, live: Live) -> None:
        """The size is asked each time, so a window that changes is drawn anew within a moment."""
        while not self._ended.is_set():
            size = self._console.size
            live.update(drawn(self._screen, size.width, size.height), refresh=True)
            self._changed.clear()
            await asyncio.sleep(DRAWN_EVERY_S)
            while not self._changed.is_set() and self._console.size == size:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAWN_EVERY_S):
                        await self._changed.wait()

    def _show(self, screen: Screen) -> None:
        self._screen = screen
        self._changed.set()

    def _say(self, text: str) -> None:
        self._show(replace(self._screen, message=cell(text)))

    def _read(self) -> None:
        typed = os.read(sys.stdin.fileno(), READ_BYTES)
        if not typed:
            self._end()
        for key in keys_in(typed.decode(errors="replace")):
            screen, wish = pressed(self._screen, key)
            about = self._screen.asked or (screen.change["eventId"] if screen.change else "")
            self._show(screen)
            if wish is Wish.QUIT:
                self._end()
            elif wish is Wish.FILTER:
                self._follow()
            elif wish is not None and about:
                self._ask(wish, about)

    def _end(self) -> None:
        self._ended.set()
        self._changed.set()

    def _follow(self) -> None:
        if self._following is not None:
            self._following.cancel()
        self._following = asyncio.create_task(self._changes())

    async def _changes(self) -> None:
        wanted = self._wanted | ({"q": self._screen.filter} if self._screen.filter else {})
        try:
            async for change in self._client.changes(wanted, self._say):
                self._show(came(self._screen, change))
        except ApiError as error:
            if error.status in NOT_ADMITTED:
                self._fail(error)
            else:
                self._say(_said(error))
        except Unreachable as error:
            self._fail(error)

    def _fail(self, error: ApiError | Unreachable) -> None:
        self._failure = error
        self._end()

    def _ask(self, wish: Wish, event_id: str) -> None:
        task = asyncio.create_task(self._asked(wish, event_id))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _asked(self, wish: Wish, event_id: str) -> None:
        try:
            if wish is Wish.REDELIVER:
                await self._client.redeliver(event_id)
                self._say(f"{event_id} is sent again.")
            else:
                self._show(replace(self._screen, details=await self._details(event_id)))
        except (ApiError, Unreachable) as error:
            self._say(_said(error))

    async def _details(self, event_id: str) -> tuple[str, ...]:
        event, why = await self._client.event(event_id), await self._client.explain(event_id)
        attempts = await self._client.attempts(event_id)
        lines = [f"{event_id}  {event['type']}  account {event['accountId'] or '-'}  {event['status']}", why["text"]]
        lines += [
            f"  {one['startedAt']}  {one['outcome']}  {one['httpStatus'] or ''}  {one['url'] or ''}"
            for one in attempts[-ATTEMPTS_SHOWN:]
        ]
        return tuple(cell(line) for line in lines)


def _said(error: ApiError | Unreachable) -> str:
    problems = error.problems if isinstance(error, ApiError) else ()
    return "; ".join(problem.message for problem in problems) or str(error)

"""One run: events go in, faults happen meanwhile, and every event is followed to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count

from dispatcher.cli.bench.arrivals import Arrivals
from dispatcher.cli.bench.faults import Mark
from dispatcher.cli.bench.judging import OPEN, Outcome, judged
from dispatcher.cli.bench.load import Events, Load
from dispatcher.cli.bench.progress import Bars
from dispatcher.cli.bench.sending import Sent, send
from dispatcher.client import ApiError, Client
from dispatcher.errors import DispatcherError
from dispatcher.model.status import Status

LOOK_S = 0.2
FIRST_WITHIN_S = 30
STRANGERS = 10_000
"""Events of others that are looked at, at most, where an integration is not the run's own."""

Injecting = Callable[[float], Awaitable[list[Mark]]]
"""Does what faults are wanted, given the moment at which the first event is due."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The integration that a run sends to, and how its events' arrival is seen."""

    integration_id: str
    product: str
    arrivals: Arrivals


@dataclass(frozen=True, slots=True)
class Run:
    """``begin_s``: on the monotonic clock."""

    outcome: Outcome
    marks: tuple[Mark, ...]
    begin_s: float


async def measure(client: Client, subject: Subject, load: Load, injecting: Injecting, bars: Bars) -> Run:
    """Raises DispatcherError when not even a first event arrives: then no load is sent."""
    events = Events(subject.product, load.accounts)
    await _prove(client, events)
    begin_s = time.monotonic() + LOOK_S
    try:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send(client, events, load, begin_s, bars.answered))
            faults = tasks.create_task(_marks(injecting, begin_s))
            await _watch(subject.arrivals, sending, faults, begin_s + load.seconds + load.within, bars)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    ids = {one.event_id for one in sending.result() if one.event_id}
    statuses = await _statuses(client, subject.integration_id, ids, time.monotonic() + load.within)
    arrivals = await subject.arrivals.seen()
    outcome = judged(sending.result(), arrivals, statuses, every=subject.arrivals.every)
    return Run(outcome, tuple(faults.result()), begin_s)


async def _prove(client: Client, events: Events) -> None:
    """One event goes all the way, so that a load never meets a deployment that cannot deliver it."""
    accepted = await client.emit(events.event(0), events.key(-1))
    event = await client.event(accepted["id"], FIRST_WITHIN_S)
    if event["status"] != Status.SUCCEEDED:
        explained = await client.explain(accepted["id"])
        raise DispatcherError(f"a first event did not arrive, so no load was sent: {explained['text']}")


async def _marks(injecting: Injecting, begin_s: float) -> list[Mark]:
    return await injecting(begin_s)


async def _watch(
    arrivals: Arrivals, sending: asyncio.Task[list[Sent]], faults: asyncio.Task[list[Mark]], until_s: float, bars: Bars
) -> None:
    """Until everything with a receipt has come, or ``until_s``."""
    while True:
        came = await arrivals.count()
        bars.delivered(came)
        if sending.done() and faults.done():
            ids = {one.event_id for one in sending.result() if one.event_id}
            if came >= len(ids) and ids <= {event_id for event_id, _ in await arrivals.seen()}:
                return
            if time.monotonic() > until_s:
                return
        await asyncio.sleep(LOOK_S)


async def _statuses(client: Client, integration_id: str, ids: set[str], until_s: float) -> Mapping[str, Status]:
    """Of each event that the API knows, once it has ended or ``until_s`` is past."""
    found: dict[str, Status] = {}
    numbers = count()
    async for one in client.events({"integrationId": integration_id}):
        if one["id"] in ids:
            found[one["id"]] = Status(one["status"])
        if len(found) == len(ids) or next(numbers) > len(ids) + STRANGERS:
            break
    for event_id in ids:
        if event_id not in found or found[event_id] in OPEN:
            await _ask_again(client, event_id, found, until_s)
    return found


async def _ask_again(client: Client, event_id: str, found: dict[str, Status], until_s: float) -> None:
    wait_s = max(0, min(FIRST_WITHIN_S, int(until_s - time.monotonic())))
    try:
        found[event_id] = Status((await client.event(event_id, wait_s))["status"])
    except ApiError as error:
        if error.status != 404:
            raise

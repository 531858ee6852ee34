"""`dispatcher bench` on a deployment that runs: an integration by its name, seen through its changes alone."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from dispatcher.cli.bench import verb
from dispatcher.cli.bench.children import ChildFailed
from dispatcher.cli.bench.load import Load
from dispatcher.cli.bench.verb import Target, on_theirs
from dispatcher.client import Client
from dispatcher.model.status import Status
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, PRODUCT, Api
from tests.api.worker_hand import WorkerHand

EVENTS = 5


async def settle_each(api: Api, dead: int) -> None:
    """One after the other as they come; the event of that number dies."""
    hand, seen = WorkerHand(api), 0
    while True:
        queued = (await api.json("GET", "/v1/events?status=QUEUED", 200))["data"]
        for one in reversed(queued):
            await hand.settle(one["id"], Status.DEAD if seen == dead else Status.SUCCEEDED)
            seen += 1
        await asyncio.sleep(0)


async def test_a_run_that_breaks_off_says_why_in_one_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: float) -> NoReturn:
        raise ChildFailed("a worker did not start")

    monkeypatch.setattr(verb, "_nothing", fail)
    settling = asyncio.create_task(settle_each(api, dead=EVENTS))
    try:
        async with Client(str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET) as client:
            integration = (await api.json("GET", "/v1/definitions", 200))["data"][0]
            with pytest.raises(ChildFailed, match="a worker did not start"):
                await on_theirs(client, Load(events=EVENTS, rate=100), Target(integration=integration["name"]))
    finally:
        settling.cancel()
        await asyncio.wait([settling])


async def test_events_of_a_named_integration_are_followed_to_their_ends(api: Api) -> None:
    settling = asyncio.create_task(settle_each(api, dead=EVENTS))
    try:
        async with Client(str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET) as client:
            integration = (await api.json("GET", "/v1/definitions", 200))["data"][0]
            target = Target(integration=integration["name"])
            run = await on_theirs(client, Load(events=EVENTS, rate=100, accounts=2, within=1), target)
    finally:
        settling.cancel()
        await asyncio.wait([settling])
    outcome = run.outcome
    assert (outcome.accepted, outcome.lost, outcome.unfinished, outcome.duplicates) == (EVENTS, 0, 0, None)
    assert (len(outcome.deliveries), outcome.failed, outcome.well) == (EVENTS - 1, 1, False)
    assert (await api.json("GET", f"/v1/events?productId={PRODUCT}", 200))["data"]

"""The walk of one event, as docs/architecture.md shows it: one real delivery is traced, and compared with the page."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
import structlog

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.nudges import follow_nudges
from dispatcher.store.redis.scripts import Call
from tests.waiting import until
from tests.worker.conftest import Shop
from worker.composition import compose
from worker.partition.owner import Owner
from worker.resources import open_resources

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/architecture.md"
MOST_FILES = 12
_STOP = re.compile(r"^\d+\. `([a-z_/.]+)`", re.MULTILINE)
_LEAF = re.compile(r"`((?:policy|model|flow)/[a-z_/]+\.py)`")


class Trace:
    """Scripts that are sent and files that are entered from the first script on, each at its first time."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code is Call.by_name.__code__:
            self.files[f"{frame.f_locals['self'].script.name}.lua"] = None
        elif event == "call" and self.files and code.co_filename.startswith(str(ROOT)):  # after the first script
            self.files[code.co_filename.removeprefix(f"{ROOT}/")] = None

    @property
    def walk(self) -> list[str]:
        """In the order of the first entry."""
        return [name for name in self.files if name.startswith("worker/") or name.endswith(".lua")]

    @property
    def leaves(self) -> set[str]:
        """Modules that do no I/O, and use cases."""
        rooms = tuple(f"dispatcher/{room}/" for room in ("policy", "model", "flow"))
        return {name.removeprefix("dispatcher/") for name in self.files if name.startswith(rooms)}

    @contextmanager
    def tracing(self) -> Iterator[None]:
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)


def section() -> str:
    return PAGE.read_text().split("## The walk of one event\n", 1)[1].split("\n## ", 1)[0]


async def own_all(shop: Shop, owner: Owner) -> None:
    for partition in range(shop.settings.partitions):
        await owner.take({partition: await shop.store.grant(partition, 1000)})


async def trace_of_one_delivery(shop: Shop) -> Trace:
    """The second event of an integration: definitions, token and connection are there.

    Leases are long, so that none is renewed by a claim meanwhile.
    """
    shop.settings = shop.settings.model_copy(update={"lease": 60.0})
    integration, trace, halt = await shop.integration(oauth2=True), Trace(), asyncio.Event()
    async with open_resources(shop.settings, shop.redis_url, shop.redis_url) as resources, compose(resources) as parts:
        owner = parts.owner
        nudged = asyncio.create_task(follow_nudges(shop.redis_url, owner.worker_id, owner.nudge, owner.take_given))
        await own_all(shop, owner)
        running = asyncio.create_task(owner.run(halt))
        await shop.ended(await shop.emit(integration))
        await until(lambda: not any(one.work_expected for one in owner.partitions.values()))
        await until(lambda: not resources.sessions.plain.connections.looks)
        with trace.tracing():
            event_id = await shop.emit(integration)
            await until(lambda: len(shop.host.to("/notifications")) == 2)
            await until(lambda: not owner.in_flight and not any(one.outcomes for one in owner.partitions.values()))
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
        halt.set()
        owner.nudge()
        await running
        nudged.cancel()
        await owner.stop(1.0)
    return trace


@pytest.fixture
def as_in_production() -> Iterator[None]:
    """Successes are logged at level debug only."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("as_in_production")
async def test_every_file_and_script_that_an_event_enters_stands_in_the_walk_in_that_order(shop: Shop) -> None:
    trace = await trace_of_one_delivery(shop)
    assert _STOP.findall(section()) == trace.walk
    assert sum(name.startswith("worker/") for name in trace.walk) <= MOST_FILES
    assert set(_LEAF.findall(section())) == trace.leaves

"""The verb ``bench``: a load whose every event is accounted for, on a private deployment or through one's own API."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import uuid4

import typer

from dispatcher.cli.api_access import Access, Connection, with_api
from dispatcher.cli.beginning import run
from dispatcher.cli.bench.arrivals import HostArrivals, change_arrivals
from dispatcher.cli.bench.drawing import drawing
from dispatcher.cli.bench.faults import Faults, Mark, inject, planned
from dispatcher.cli.bench.load import Load
from dispatcher.cli.bench.measuring import Injecting, Run, Subject, measure
from dispatcher.cli.bench.private import private_deployment
from dispatcher.cli.bench.progress import bars
from dispatcher.cli.bench.report import as_json as report_json
from dispatcher.cli.bench.report import show
from dispatcher.cli.bench.sink_client import sink_process
from dispatcher.cli.named_integration import integration_id
from dispatcher.cli.operating.new_file import new_file
from dispatcher.cli.processes.startup import stop_on_signals
from dispatcher.cli.temporary_integration import temporary_integration
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_json
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import URL_FIELDS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """Options that lead a run to a deployment that it did not start."""

    integration: Annotated[
        str | None,
        typer.Option(help="Integration: id or name; its host gets the load. Else one of the run's own."),
    ] = None
    product: Annotated[str | None, typer.Option(help="Product of the events; else one that nobody sells.")] = None
    host_url: Annotated[
        str | None, typer.Option(help="Where the deployment reaches this run's host, such as a tunnel's end.")
    ] = None
    host_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of that host on loopback; 0 = any.")] = 0
    yes: Annotated[bool, typer.Option("--yes", help="Send it to a deployment that was not started for it.")] = False


@dataclass(frozen=True, slots=True)
class Output:
    """Options of what is left of a run."""

    plot: Annotated[Path, typer.Option(help="SVG picture that is written.")] = Path("dispatcher-bench.svg")
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


@grouped
def bench(*, load: Load, faults: Faults, target: Target, output: Output, connection: Connection) -> None:
    """Measure rate, latency, loss and duplicates: of a deployment of its own, or with --url of yours.

    Status 1 when an event with a receipt was not delivered.

    Example: dispatcher bench --kill-workers --restart-redis
    """
    with new_file(output.plot) as picture:
        if connection.url or target.integration or target.product or target.host_url:
            access = _checked(connection.access(), load, faults, target)
            done = with_api(access, lambda client: _until_stopped(on_theirs(client, load, target)))
        else:
            done = run(_until_stopped(_on_its_own(load, faults)))
        picture.write(drawing(done).encode())
    if output.as_json:
        print_json(report_json(done) | {"plot": str(output.plot)})
    else:
        show(done)
        note(f"written: {output.plot}")
    if not done.outcome.well:
        raise typer.Exit(1)


def _checked(access: Access, load: Load, faults: Faults, target: Target) -> Access:
    if faults.wanted:
        raise ConfigurationError("--kill-workers and --restart-redis end only what a run started: leave out --url")
    if target.integration and target.host_url:
        raise ConfigurationError("--integration has a host of its own: give it or --host-url")
    if not target.yes:
        raise ConfigurationError(f"this sends {load.events:,} events at {load.rate}/s to {access.url}: add --yes")
    return access


async def _until_stopped(work: Awaitable[T]) -> T:
    """A first SIGTERM or Ctrl-C ends it in order: what it started or made goes."""
    with stop_on_signals() as stop:
        working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not working.done():
                working.cancel()
        return await working


async def _on_its_own(load: Load, faults: Faults) -> Run:
    note(f"starting a deployment on loopback: Redis, an API, {faults.workers} workers")
    async with private_deployment(faults.workers) as made:
        access = made.access
        async with (
            access.client() as client,
            _subject(client, Target(), made.folder) as subject,
        ):
            injecting = partial(inject, made, planned(load.seconds, faults))
            return await _measured(client, subject, load, injecting)


async def on_theirs(client: Client, load: Load, target: Target) -> Run:
    """Through the API of a deployment that was not started for it."""
    with tempfile.TemporaryDirectory(prefix="dispatcher-bench-") as name:
        async with _subject(client, target, Path(name)) as subject:
            return await _measured(client, subject, load, _nothing)


async def _measured(client: Client, subject: Subject, load: Load, injecting: Injecting) -> Run:
    note(f"sending {load.events:,} events at {load.rate}/s")
    with bars(load.events) as shown:
        return await measure(client, subject, load, injecting, shown)


@asynccontextmanager
async def _subject(client: Client, target: Target, folder: Path) -> AsyncIterator[Subject]:
    if target.integration is not None:
        found = await client.definitions.get(await integration_id(client, target.integration), "PUBLISHED")
        product = target.product or next(iter(found["linkedProducts"]), None)
        if product is None:
            raise ConfigurationError(f"no product leads to {found['name']}: link one, and publish it")
        async with change_arrivals(client, found["id"]) as arrivals:
            yield Subject(found["id"], product, arrivals)
        return
    product = target.product or f"bench-{uuid4().hex[:12]}"
    async with sink_process(folder, target.host_port) as sink:
        await sink.reset(with_ids=True)
        urls = {name: target.host_url or sink.url for name in URL_FIELDS if name != "eventStatusUrl"}
        async with temporary_integration(client, product, f"bench: {product}", urls) as made:
            yield Subject(made, product, HostArrivals(sink))


async def _nothing(_: float) -> list[Mark]:
    return []

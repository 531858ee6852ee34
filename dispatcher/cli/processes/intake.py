"""``dispatcher intake``: accepts events from a Redis stream, beside the API. Delivers nothing."""

from __future__ import annotations

import os
import platform
from typing import Annotated

import typer

from dispatcher.cli.processes.startup import load_settings, open_store, run, run_process, stop_on_signals
from dispatcher.cli.terminal.output import print_listing
from dispatcher.emitting.intake import Intake
from dispatcher.emitting.redis_emitter import Limits, RedisEmitter
from dispatcher.settings import Settings
from dispatcher.store.queue.intake import Entry, IntakeStream

COLUMNS = {"id": "ID", "entry": "ENTRY", "reason": "REASON", "event": "EVENT"}


def intake(
    stream: Annotated[str, typer.Option(help="Key of the stream; entries have the field event, and may have key.")],
    client_id: Annotated[str, typer.Option(help="Whose events and idempotency keys they are.")] = "intake",
    poison: Annotated[bool, typer.Option("--poison", help="List what was set aside, newest first, and end.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries of that list.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Accept what comes in a Redis stream until SIGTERM or Ctrl-C; what is no event goes to a second stream.

    Example: dispatcher intake --stream orders
    """
    settings = load_settings()
    if poison:
        found = run(_poisoned(settings, stream, limit))
        print_listing([_row(one) for one in found], COLUMNS, as_json=as_json)
    else:
        run_process(_taking(settings, stream, client_id), settings)


async def _taking(settings: Settings, name: str, client_id: str) -> None:
    limits = Limits(settings.memory_high_water, settings.min_replicas, settings.max_body_bytes)
    async with open_store(settings, client_name="dispatcher-intake") as store:
        consumer = IntakeStream(store.redis, name, f"{platform.node()}-{os.getpid()}")
        emitter = RedisEmitter(store.url, client_id=client_id, partitions=settings.partitions, limits=limits)
        async with emitter:
            with stop_on_signals() as stop:
                await Intake(emitter, consumer).run(stop)


async def _poisoned(settings: Settings, name: str, limit: int) -> list[Entry]:
    async with open_store(settings, client_name="dispatcher-intake", claim=False, existing=True) as store:
        return await IntakeStream(store.redis, name, "").poisoned(limit)


def _row(entry: Entry) -> dict[str, str]:
    said = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in entry.fields.items()}
    return {name: said.get(name, "") for name in COLUMNS} | {"id": entry.id}

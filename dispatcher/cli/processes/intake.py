"""``dispatcher intake``: accepts events from a Redis stream or an AMQP queue, beside the API. Delivers nothing."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import typer

from dispatcher.cli.processes.startup import Store, load_settings, open_store, run, run_process, stop_on_signals
from dispatcher.cli.terminal.output import print_listing
from dispatcher.emitting.intake import Intake, Source
from dispatcher.emitting.redis_emitter import Limits, RedisEmitter
from dispatcher.emitting.stream_source import StreamSource
from dispatcher.errors import ConfigurationError
from dispatcher.settings import Settings
from dispatcher.store.queue.intake import IntakeStream

COLUMNS = {"id": "ID", "entry": "ENTRY", "reason": "REASON", "event": "EVENT"}

Row = dict[str, str]


def intake(
    broker: Annotated[
        str | None, typer.Argument(metavar="[AMQP_URL]", help="Broker of --queue, else that of DISPATCHER_AMQP_URL.")
    ] = None,
    stream: Annotated[str | None, typer.Option(help="Key of a stream; entries have event, and may have key.")] = None,
    queue: Annotated[str | None, typer.Option(help="Queue of an AMQP broker; messages have a message_id.")] = None,
    client_id: Annotated[str, typer.Option(help="Whose events and idempotency keys they are.")] = "intake",
    poison: Annotated[bool, typer.Option("--poison", help="List what was set aside, and end.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries of that list.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Accept what comes until SIGTERM or Ctrl-C; what is no event is set aside, and holds nothing up.

    Example: dispatcher intake --stream orders
    """
    settings = load_settings(amqp_url=broker)
    if (stream is None) == (queue is None):
        raise ConfigurationError("give --stream, or --queue of an AMQP broker")
    if poison:
        aside = _poisoned_stream(settings, stream, limit) if stream else _poisoned_queue(settings, queue or "", limit)
        print_listing(run(aside), COLUMNS, as_json=as_json)
    else:
        run_process(_taking(settings, stream, queue or "", client_id), settings)


async def _taking(settings: Settings, stream: str | None, queue: str, client_id: str) -> None:
    limits = Limits(settings.memory_high_water, settings.min_replicas, settings.max_body_bytes)
    async with (
        open_store(settings, client_name="dispatcher-intake") as store,
        _source(settings, store, stream, queue) as source,
        RedisEmitter(store.url, client_id=client_id, partitions=settings.partitions, limits=limits) as emitter,
    ):
        with stop_on_signals() as stop:
            await Intake(emitter, source).run(stop)


@asynccontextmanager
async def _source(settings: Settings, store: Store, stream: str | None, queue: str) -> AsyncIterator[Source]:
    if stream is not None:
        yield StreamSource(IntakeStream(store.redis, stream, f"{platform.node()}-{os.getpid()}"))
        return
    with _extra():
        from dispatcher.emitting.amqp_source import AmqpSource
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what it complains of is told once, by us
    source = AmqpSource(_amqp_url(settings), queue)
    try:
        yield source
    finally:
        await source.close()


async def _poisoned_stream(settings: Settings, name: str, limit: int) -> list[Row]:
    async with open_store(settings, client_name="dispatcher-intake", claim=False, existing=True) as store:
        found = await IntakeStream(store.redis, name, "").poisoned(limit)
    return [{name: _text(one.fields.get(name.encode(), b"")) for name in COLUMNS} | {"id": one.id} for one in found]


async def _poisoned_queue(settings: Settings, queue: str, limit: int) -> list[Row]:
    with _extra():
        from dispatcher.emitting.amqp_source import poisoned
    found = await poisoned(_amqp_url(settings), queue, limit)
    return [
        {"id": str(n), "entry": one.id, "reason": one.reason, "event": _text(one.event)}
        for n, one in enumerate(found, 1)
    ]


def _amqp_url(settings: Settings) -> str:
    if settings.amqp_url is None:
        raise ConfigurationError("--queue: of which broker? Set DISPATCHER_AMQP_URL, or give its URL")
    return settings.amqp_url


@contextmanager
def _extra() -> Iterator[None]:
    """Around the import of what needs the extra."""
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(f"--queue needs {error.name}: pip install 'marketplace-dispatcher[amqp]'") from None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")

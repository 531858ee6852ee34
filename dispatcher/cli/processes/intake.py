"""``dispatcher intake``: accepts events from a Redis stream or an AMQP queue, beside the API. Delivers nothing."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.processes.startup import Store, open_store, run_process, stop_on_signals
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_listing
from dispatcher.emitting.intake import Intake, Source
from dispatcher.emitting.poison import Poison, PoisonPlace, StreamPoison
from dispatcher.emitting.redis_emitter import Limits, RedisEmitter
from dispatcher.emitting.stream_source import StreamSource
from dispatcher.errors import ConfigurationError
from dispatcher.settings import Settings
from dispatcher.store.health import set_aside
from dispatcher.store.queue.acting.intake import IntakeStream

COLUMNS = {"id": "ID", "entry": "ENTRY", "reason": "REASON", "event": "EVENT"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Options about what was set aside."""

    poison: Annotated[bool, typer.Option("--poison", help="List what was set aside, and end.")] = False
    put_back: Annotated[bool, typer.Option("--put-back", help="Hand it out again, 1,000 at a time, and end.")] = False
    discard: Annotated[bool, typer.Option("--discard", help="Delete it, and end.")] = False
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries of the list.")] = 50
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False

    @property
    def wanted(self) -> bool:
        """Raises ConfigurationError for two at a time."""
        if self.poison + self.put_back + self.discard > 1:
            raise ConfigurationError("give one of --poison, --put-back and --discard")
        return self.poison or self.put_back or self.discard


@grouped
def intake(
    *,
    broker: Annotated[
        str | None, typer.Argument(metavar="[AMQP_URL]", help="Broker of --queue, else that of DISPATCHER_AMQP_URL.")
    ] = None,
    stream: Annotated[str | None, typer.Option(help="Key of a stream; entries have event, and may have key.")] = None,
    queue: Annotated[str | None, typer.Option(help="Queue of an AMQP broker; messages have a message_id.")] = None,
    client_id: Annotated[str, typer.Option(help="Whose events and idempotency keys they are.")] = "intake",
    asked: Asked,
) -> None:
    """Accept what comes until SIGTERM or Ctrl-C; what is no event is set aside, and holds nothing up.

    Example: dispatcher intake --stream orders
    """
    settings = load_settings(amqp_url=broker)
    if bool(stream) == bool(queue):
        raise ConfigurationError("give --stream, or --queue of an AMQP broker")
    if asked.wanted:
        run(_dealing(settings, stream, queue or "", asked))
    else:
        run_process(_taking(settings, stream, queue or "", client_id), settings)


async def _taking(settings: Settings, stream: str | None, queue: str, client_id: str) -> None:
    limits = Limits(settings.memory_high_water, settings.min_replicas, settings.max_body_bytes, settings.pack_contents)
    async with (
        open_store(settings, client_name="dispatcher-intake") as store,
        _source(settings, store, stream, queue) as source,
        RedisEmitter(store.url, client_id=client_id, partitions=settings.partitions, limits=limits) as emitter,
    ):
        with stop_on_signals() as stop:
            await Intake(emitter, source, partial(set_aside.note, store.redis, source.name)).run(stop)


@asynccontextmanager
async def _source(settings: Settings, store: Store, stream: str | None, queue: str) -> AsyncIterator[Source]:
    if stream:
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


async def _dealing(settings: Settings, stream: str | None, queue: str, asked: Asked) -> None:
    """List, put back or discard; what is left is counted again."""
    async with open_store(settings, client_name="dispatcher-intake", claim=False, existing=True) as store:
        place = _place(settings, store, stream, queue)
        if asked.poison:
            print_listing([_row(one) for one in await place.list(asked.limit)], COLUMNS, as_json=asked.as_json)
            return
        done = await (place.put_back() if asked.put_back else place.discard())
        left = await place.count()
        await set_aside.note(store.redis, place.source, left)
        note(f"{done} {'put back' if asked.put_back else 'discarded'}, {left} left")


def _place(settings: Settings, store: Store, stream: str | None, queue: str) -> PoisonPlace:
    if stream:
        return StreamPoison(IntakeStream(store.redis, stream, ""))
    with _extra():
        from dispatcher.emitting.amqp_poison import QueuePoison
    return QueuePoison(_amqp_url(settings), queue)


def _row(one: Poison) -> dict[str, str]:
    return one._asdict() | {"event": one.event.decode(errors="replace")}


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

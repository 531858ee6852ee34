"""Emits events into the store itself: no HTTP, no token, and every check and promise of the API.

Whoever uses it holds the password of Redis, and so is trusted as an API process is: it reaches every product.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

from dispatcher.clock import StoreClock
from dispatcher.emitting.wire import asked, checked_key
from dispatcher.errors import ConfigurationError, RequestError, StoreUnavailable
from dispatcher.flow.events.making.accept import Acceptor, Keyed
from dispatcher.flow.events.making.emit import Emitter
from dispatcher.flow.installations.making.ordering_elsewhere import OrdersElsewhere
from dispatcher.model.access import Caller, Scope
from dispatcher.model.queue import Accepted
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.health.meta import claim_meta, stored_partitions
from dispatcher.store.health.pressure import Pressure
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.redis.connection import connect
from dispatcher.store.redis.server_time import ServerTime

CLOCK_EVERY_S = 5.0
MAX_BYTES = 1024 * 1024
RETENTION_MS = 30 * 86_400_000
"""Not read when events are accepted."""
_CLIENT_ID = re.compile(r"[!-~]{1,64}")


class Receipt(NamedTuple):
    """An event is kept. ``replayed``: it was, by an earlier call with the same key."""

    id: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """As the API's settings of the same names; give the same."""

    memory_high_water: float = 0.9
    min_replicas: int = 0
    max_body_bytes: int = MAX_BYTES
    pack_contents: bool = True


class RedisEmitter:
    """``async with RedisEmitter(url, client_id="shop") as emitter``: one for a process, for any number of tasks.

    Raises on entering ``ConfigurationError`` when the store has another number of partitions, or none yet, and
    ``StoreUnavailable`` when it is away.
    """

    def __init__(
        self, redis_url: str, *, client_id: str, partitions: int | None = None, limits: Limits = Limits()
    ) -> None:
        """``client_id``: whose the events and idempotency keys are. ``partitions`` None = as the store has them."""
        if not _CLIENT_ID.fullmatch(client_id):
            raise ConfigurationError("client_id: give 1 to 64 printable ASCII characters without a blank")
        self._redis_url = redis_url
        self._partitions = partitions
        self._limits = limits
        self._caller = Caller(client_id, frozenset({Scope.EVENTS_WRITE.value}))
        self._clock = StoreClock()
        self._open = AsyncExitStack()
        self._emitter: Emitter
        self._acceptor: Acceptor

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            redis = await opening.enter_async_context(connect(self._redis_url, client_name="dispatcher-emitter"))
            await self._begin(redis, opening)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def emit(self, event: Mapping[str, Any] | bytes, key: str | None = None) -> Receipt:
        """Accept one event, of the fields of ``POST /v1/events`` (or its JSON); with ``key`` once within 24 hours.

        Raises ``RequestError``, whose problems name fields, and ``StoreUnavailable``: the outcome is unknown, repeat it
        with the same key.
        """
        given = asked(event, self._limits.max_body_bytes)
        made = await self._emitter.event(given.emission, self._caller)
        if key is None:
            return _receipt(await self._acceptor.accept(made))
        owner, checked = self._caller.key_space, checked_key(key)
        return _receipt(await self._acceptor.accept_once(made, client_id=owner, key=checked, body_hash=given.digest))

    async def emit_each_once(
        self, events: Sequence[tuple[Mapping[str, Any] | bytes, str]], key_space: str = ""
    ) -> list[Receipt | RequestError]:
        """As ``emit`` for each event with its key, in their order; a refusal is in its event's place."""
        prepared = [await self._keyed(event, key, key_space) for event, key in events]
        wanted = [one for one in prepared if isinstance(one, Keyed)]
        receipts = iter(await self._acceptor.accept_each_once(wanted, self._caller.key_space))
        outcomes = [next(receipts) if isinstance(one, Keyed) else one for one in prepared]
        return [_receipt(one) if isinstance(one, Accepted) else one for one in outcomes]

    async def _keyed(self, event: Mapping[str, Any] | bytes, key: str, key_space: str) -> Keyed | RequestError:
        try:
            whole = key_space + checked_key(key)
            given = asked(event, self._limits.max_body_bytes)
            return Keyed(await self._emitter.event(given.emission, self._caller), whole, given.digest)
        except RequestError as error:
            return error

    async def _begin(self, redis: StoreClient, opening: AsyncExitStack) -> None:
        partitions = await self._checked_partitions(redis)
        replicas = self._limits.min_replicas
        queue = QueueStore(
            redis,
            partitions=partitions,
            retention_ms=RETENTION_MS,
            min_replicas=replicas,
            pack=self._limits.pack_contents,
        )
        time = ServerTime(redis, self._clock)
        pressure = Pressure(redis, self._limits.memory_high_water)
        await time.measure()
        await pressure.measure()
        cache = await opening.enter_async_context(DefinitionCache(Definitions(redis), redis))
        orders = OrdersElsewhere.over(redis, queue, cache, self._clock.now_ms)
        self._emitter = Emitter(cache, queue.partition_of, self._clock.now_ms)
        self._acceptor = await opening.enter_async_context(Acceptor(queue, orders))
        self._acceptor.close(pressure.full)
        for name, following in (("time", time.follow(CLOCK_EVERY_S)), ("pressure", self._follow(pressure))):
            task = asyncio.create_task(following, name=f"emitter-{name}")
            opening.push_async_callback(_ended, task)

    async def _checked_partitions(self, redis: StoreClient) -> int:
        found = await stored_partitions(redis)
        if found is None:
            raise ConfigurationError("the store is new: start the API or a worker first, which fixes its partitions")
        await claim_meta(redis, found if self._partitions is None else self._partitions)
        return found

    async def _follow(self, pressure: Pressure) -> None:
        """Stop accepting before the store is full, and begin again."""
        while True:
            await asyncio.sleep(pressure.pause_s())
            try:
                await pressure.measure()
            except StoreUnavailable:
                continue  # whoever emits is told
            self._acceptor.close(pressure.full)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _receipt(accepted: Accepted) -> Receipt:
    return Receipt(accepted.id, accepted.replayed)

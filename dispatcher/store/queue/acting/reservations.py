"""Idempotency keys: each is bound to one event for 24 hours, before the event is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.partitioned import Partitioned
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, each_command
from dispatcher.store.redis.together import Together, together

IDEMPOTENCY_TTL_S = 86_400


@dataclass(frozen=True, slots=True)
class Reservation:
    """An idempotency key's event and the hash of the body that first used it."""

    event_id: str
    body_hash: str
    fresh: bool


def _reservation(before: bytes | Exception | None, event_id: str, body_hash: str) -> Reservation:
    if isinstance(before, Exception):
        raise before
    if before is None:
        return Reservation(event_id, body_hash, fresh=True)
    bound_id, bound_hash = before.decode().split(" ", 1)
    return Reservation(bound_id, bound_hash, fresh=False)


class Reservations(Partitioned):
    """Raises ``StoreUnavailable`` when Redis did not answer."""

    @cached_property
    def _gathering(self) -> Client:
        """Keys of requests that come at one moment are bound in one request, where Redis is one server."""
        return together(self._client)

    async def reserve(self, client_id: str, key: str, body_hash: str, event_id: str) -> Reservation:
        """Bind an idempotency key to an event id for 24 h, or learn what it is bound to."""
        if not isinstance(self._gathering, Together):
            return (await self.reserve_each(client_id, [(key, body_hash, event_id)]))[0]
        name = keys.idempotency(client_id, key)
        command = ("SET", name, f"{event_id} {body_hash}", "NX", "GET", "EX", IDEMPOTENCY_TTL_S)
        with guarded():
            (before,) = await each_command(self._gathering, [command])
            return _reservation(before, event_id, body_hash)

    async def reserve_each(self, client_id: str, asked: Sequence[tuple[str, str, str]]) -> list[Reservation]:
        """``reserve`` for each key, hash and event id, in one round trip; the first of equal keys is the fresh one."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for key, body_hash, event_id in asked:
            name = keys.idempotency(client_id, key)
            pipeline.set(name, f"{event_id} {body_hash}", nx=True, get=True, ex=IDEMPOTENCY_TTL_S)
        with guarded():
            replies = await pipeline.execute()
        return [
            _reservation(before, event_id, hashed) for before, (_, hashed, event_id) in zip(replies, asked, strict=True)
        ]

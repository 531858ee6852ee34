"""Remains of an installation that is gone: settings without secrets for another time, or what is to be erased."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.effect import Effect
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.installation import Installation
from dispatcher.policy.secrets.setting_secrets import with_secrets
from dispatcher.store.documents.swap import Operation
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded


@dataclass(frozen=True, slots=True)
class Erasure:
    """Connectors and contents of events that an app leaves, to go when the event is over that may still need them."""

    installation_id: str
    account_id: str
    integration_id: str
    cancel_event_id: str | None = None
    installed_ms: int = 0
    removed_ms: int | None = None
    """None: written by a version that left events alone."""
    cursor: str | None = None
    """Behind the events that were forgotten so far."""
    waits: bool = False
    """Some of these had not ended."""

    @property
    def member(self) -> str:
        """As it stands among those that are due."""
        return write(self).decode()

    @classmethod
    def read(cls, member: str) -> Erasure:
        return read(cls, member.encode())


def after_removal(gone: Installation, effects: tuple[Effect, ...], now_ms: int, *, erase: bool) -> list[Operation]:
    """Operations of the step in which it goes."""
    if gone.account_id is None or gone.integration_id is None:
        return []
    place = _place(gone.account_id, gone.product_id or gone.integration_id)
    if not erase:
        if gone.order_event_id is None or gone.settings is None:
            return []
        return [Operation("HSET", keys.REMAINS, (place, orjson.dumps(with_secrets(gone.settings, lambda _, text: ""))))]
    cancel = next((one.id for one in effects if isinstance(one, Event) and _is_cancel(one)), None)
    erasure = Erasure(gone.id, gone.account_id, gone.integration_id, cancel, gone.created_ms, now_ms)
    return [Operation("HDEL", keys.REMAINS, (place,)), Operation("ZADD", keys.ERASURES, (now_ms, erasure.member))]


class Remains:
    """Settings of what an account had once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def settings(self, account_id: str, product_id: str) -> Any:
        """Without secrets; None = there are none."""
        with guarded():
            found = await cast(
                "Awaitable[bytes | None]", self._redis.hget(keys.REMAINS, _place(account_id, product_id))
            )
        return orjson.loads(found) if found else None


def _place(account_id: str, product_id: str) -> str:
    return f"{account_id}\n{product_id}"


def _is_cancel(event: Event) -> bool:
    return event.type is EventType.SUBSCRIPTION_CANCEL

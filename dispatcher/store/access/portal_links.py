"""Links to product hosts' pages, and when those of an integration were ended. Never decides who may have one."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from redis.asyncio import Redis

from dispatcher.errors import Conflict
from dispatcher.model.portal import REMEMBERED_MS, Opening, PortalLink
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, Operation, swap
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

_TRIES = 32
_HIDDEN = frozenset({"token_sha256"})


class PortalLinks:
    """``open`` has one winner, however many ask at once. With ``noting``, changes are in the audit log as well."""

    def __init__(self, redis: Redis, noting: Noting | None = None) -> None:
        self._redis = redis
        self._noting = noting

    def noted(self, noting: Noting) -> PortalLinks:
        """The same store; each change is written to the audit log in the same step."""
        return PortalLinks(self._redis, noting)

    async def make(self, link: PortalLink) -> None:
        if not await self._swap(b"", link):
            raise _modified()

    async def find(self, link_id: str) -> PortalLink | None:
        """The link, whether or not it still opens."""
        return _read(await self._stored(keys.portal_link(link_id)))

    async def open(self, link_id: str, token: str, now_ms: int) -> tuple[Opening, PortalLink | None]:
        """Consume the link, if it opens. The link is given only to whoever has its token."""
        for _ in range(_TRIES):
            before = await self._stored(keys.portal_link(link_id))
            link = _read(before)
            if link is None:
                return Opening.UNKNOWN, None
            opening = link.opening(token, await self.ended_ms(link.integration_id), now_ms)
            if opening is Opening.UNKNOWN:
                return opening, None
            if opening is not Opening.OPENED or await self._swap(before, link.opened(now_ms)):
                return opening, link
        raise _modified()

    async def ended_ms(self, integration_id: str) -> int:
        """Links and sessions of the integration that began until then are over; 0 = none was ended."""
        stored = await self._stored(keys.portal_end(integration_id))
        return int(orjson.loads(stored)["ended_ms"]) if stored else 0

    async def end(self, integration_id: str, now_ms: int, kept_ms: int) -> None:
        """End every link and session of the integration. ``kept_ms``: as long as one could last."""
        name = keys.portal_end(integration_id)
        for _ in range(_TRIES):
            document = Document(name, await self._stored(name), orjson.dumps({"ended_ms": now_ms}))
            entry = Noted("portal", integration_id, document)
            kept = Operation("PEXPIRE", name, (kept_ms,))
            if await swap(self._redis, [document], [kept], noting=self._noting, entries=[entry]):
                return
        raise _modified()

    async def _swap(self, before: bytes, link: PortalLink) -> bool:
        name = keys.portal_link(link.id)
        document = Document(name, before, orjson.dumps(asdict(link)))
        entry = Noted("portalLink", link.id, document, _HIDDEN)
        kept = Operation("PEXPIRE", name, (REMEMBERED_MS,))
        return await swap(self._redis, [document], [kept], noting=self._noting, entries=[entry])

    async def _stored(self, name: str) -> bytes:
        with guarded():
            return bytes(await self._redis.get(name) or b"")


def _read(stored: bytes) -> PortalLink | None:
    if not stored:
        return None
    record = orjson.loads(stored)
    return PortalLink(**record | {"framed_by": tuple(record["framed_by"])})


def _modified() -> Conflict:
    return Conflict.of("modified_meanwhile", "The link was changed by someone else: ask for another one.")

"""Calls of /v1/definitions: what publishers do. Raises as ``Client`` does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

from dispatcher.client.paging import pages
from dispatcher.client.transport import Call

DefinitionJson = dict[str, Any]
"""One version of an integration by the API's names, among them ``id``, ``version``, ``revision`` and ``name``."""

_PATH = "/v1/definitions"


class Definitions:
    """``any_id``: UUID, appMarketId or connectorId."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]]) -> None:
        self._call = call

    def all(self) -> AsyncIterator[DefinitionJson]:
        """WORKING versions, oldest first, page after page."""
        return pages(self._call, _PATH)

    async def get(self, any_id: str, version: str = "WORKING") -> DefinitionJson:
        return cast("DefinitionJson", await self._call(Call("GET", _one(any_id), {"version": version})))

    async def create(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """``{definition, signingSecret, warnings}``; the secret is shown only here. Never sent twice."""
        return cast("dict[str, Any]", await self._call(Call("POST", _PATH, body=dict(document), safe=False)))

    async def change(self, any_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """``{definition, warnings}``. What is left out stays, None clears."""
        return cast("dict[str, Any]", await self._call(Call("PATCH", _one(any_id), body=dict(changes))))

    async def publish(self, any_id: str) -> DefinitionJson:
        return cast("DefinitionJson", await self._call(Call("POST", _one(any_id, "publish"), safe=False)))

    async def link(self, any_id: str, product_id: str) -> dict[str, Any]:
        """``{productId, integrationId, formerIntegrationId, warnings}``."""
        call = Call("POST", _one(any_id, "link"), body={"productId": product_id})
        return cast("dict[str, Any]", await self._call(call))

    async def unlink(self, any_id: str, product_id: str) -> dict[str, Any]:
        call = Call("POST", _one(any_id, "unlink"), body={"productId": product_id}, safe=False)
        return cast("dict[str, Any]", await self._call(call))

    async def delete(self, any_id: str, *, discard_waiting: bool = False) -> None:
        """``discard_waiting``: events of it that wait end as DEAD, instead of keeping it from being deleted."""
        query = {"discardWaitingEvents": "true"} if discard_waiting else None
        await self._call(Call("DELETE", _one(any_id), query, safe=False))


def _one(any_id: str, action: str = "") -> str:
    path = f"{_PATH}/{quote(any_id, safe='')}"
    return f"{path}/{action}" if action else path

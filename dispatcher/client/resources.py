"""Calls of what publishers keep beside integrations: marketplaces, connector templates, products."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from dispatcher.client.transport import Call

ResourceJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resources:
    """One collection, such as ``/v1/marketplaces``. Raises as ``Client`` does."""

    call: Callable[[Call], Awaitable[Any]]
    path: str

    async def all(self) -> list[ResourceJson]:
        return cast("list[ResourceJson]", (await self.call(Call("GET", self.path)))["data"])

    async def get(self, resource_id: object) -> ResourceJson:
        return cast("ResourceJson", await self.call(Call("GET", self._one(resource_id))))

    async def create(self, body: Mapping[str, Any]) -> ResourceJson:
        return cast("ResourceJson", await self.call(Call("POST", self.path, body=dict(body), safe=False)))

    async def replace(self, resource_id: object, body: Mapping[str, Any]) -> ResourceJson:
        return cast("ResourceJson", await self.call(Call("PUT", self._one(resource_id), body=dict(body))))

    async def delete(self, resource_id: object) -> None:
        await self.call(Call("DELETE", self._one(resource_id), safe=False))

    def _one(self, resource_id: object) -> str:
        return f"{self.path}/{quote(str(resource_id), safe='')}"

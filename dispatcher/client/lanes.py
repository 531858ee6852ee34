"""Calls about one integration's deliveries: hold them, let them go on, suspended URLs. Raises as ``Client`` does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import quote

from dispatcher.client.answers import EnabledUrlJson, LaneJson, SuspendedUrlJson
from dispatcher.client.transport import Call


class Lanes:
    """``any_id``: UUID, appMarketId or connectorId of the integration."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]]) -> None:
        self._call = call

    async def pause(
        self, any_id: str, *, reason: str | None = None, lasting: str | None = None, until: str | None = None
    ) -> LaneJson:
        """Hold events back. ``lasting`` such as ``2h`` or ``until`` an ISO 8601 time; with neither it has no end."""
        given = {"reason": reason, "for": lasting, "until": until}
        body = {name: value for name, value in given.items() if value is not None}
        return cast("LaneJson", await self._call(Call("POST", _lane(any_id, "pause"), body=body, safe=not lasting)))

    async def resume(self, any_id: str) -> LaneJson:
        """Let held events go on; suspended URLs are tried again."""
        return cast("LaneJson", await self._call(Call("POST", _lane(any_id, "resume"))))

    async def suspended_urls(self, any_id: str) -> list[SuspendedUrlJson]:
        """Longest suspended first; one for each event type that goes there."""
        return cast("list[SuspendedUrlJson]", (await self._call(Call("GET", _suspended(any_id))))["data"])

    async def enable_url(self, any_id: str, event_type: str) -> EnabledUrlJson:
        """Send to the type's suspended URL again."""
        call = Call("POST", f"{_suspended(any_id)}/{quote(event_type, safe='')}/enable", safe=False)
        return cast("EnabledUrlJson", await self._call(call))


def _lane(any_id: str, action: str) -> str:
    return f"/v1/lanes/{quote(any_id, safe='')}/{action}"


def _suspended(any_id: str) -> str:
    return f"/v1/definitions/{quote(any_id, safe='')}/suspended-urls"

"""Calls about one integration's deliveries: hold them, let them go on, suspended URLs. Raises as ``Client`` does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import quote

from dispatcher.client.answers import (
    EnabledUrlJson,
    LaneJson,
    PausedLanesJson,
    ResumptionJson,
    SuspendedUrlJson,
    TypePauseJson,
)
from dispatcher.client.transport import Call


class Lanes:
    """``any_id``: UUID, appMarketId or connectorId of the integration."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]]) -> None:
        self._call = call

    async def pause(
        self, any_id: str, *, reason: str | None = None, lasting: str | None = None, until: str | None = None
    ) -> LaneJson:
        """Hold events back. ``lasting`` such as ``2h`` or ``until`` an ISO 8601 time; with neither it has no end."""
        body = _said(reason, lasting, until)
        return cast("LaneJson", await self._call(Call("POST", _lane(any_id, "pause"), body=body, safe=not lasting)))

    async def resume(self, any_id: str) -> LaneJson:
        """Let held events go on; suspended URLs are tried again."""
        return cast("LaneJson", await self._call(Call("POST", _lane(any_id, "resume"))))

    async def pause_all(
        self, *, reason: str | None = None, lasting: str | None = None, until: str | None = None
    ) -> PausedLanesJson:
        """As ``pause``, of every integration that there is."""
        body = _said(reason, lasting, until)
        return cast("PausedLanesJson", await self._call(Call("POST", "/v1/lanes/pause", body=body, safe=not lasting)))

    async def resume_all(self) -> int:
        """Let all that are paused go on; returns how many."""
        return int((await self._call(Call("POST", "/v1/lanes/resume", safe=False)))["resumed"])

    async def preview_resume_all(self) -> ResumptionJson:
        """The integrations that ``resume_all`` would let go on, and the events that wait there. Changes nothing."""
        return cast("ResumptionJson", await self._call(Call("POST", "/v1/lanes/resume", body={"dryRun": True})))

    async def pause_type(
        self, event_type: str, *, reason: str | None = None, lasting: str | None = None, until: str | None = None
    ) -> TypePauseJson:
        """Hold the events of one type back in all integrations."""
        call = Call("POST", _type(event_type, "pause"), body=_said(reason, lasting, until), safe=not lasting)
        return cast("TypePauseJson", await self._call(call))

    async def resume_type(self, event_type: str) -> TypePauseJson:
        return cast("TypePauseJson", await self._call(Call("POST", _type(event_type, "resume"))))

    async def suspended_urls(self, any_id: str) -> list[SuspendedUrlJson]:
        """Longest suspended first; one for each event type that goes there."""
        return cast("list[SuspendedUrlJson]", (await self._call(Call("GET", _suspended(any_id))))["data"])

    async def enable_url(self, any_id: str, event_type: str) -> EnabledUrlJson:
        """Send to the type's suspended URL again."""
        call = Call("POST", f"{_suspended(any_id)}/{quote(event_type, safe='')}/enable", safe=False)
        return cast("EnabledUrlJson", await self._call(call))


def _said(reason: str | None, lasting: str | None, until: str | None) -> dict[str, str]:
    given = {"reason": reason, "for": lasting, "until": until}
    return {name: value for name, value in given.items() if value is not None}


def _type(event_type: str, action: str) -> str:
    return f"/v1/event-types/{quote(event_type, safe='')}/{action}"


def _lane(any_id: str, action: str) -> str:
    return f"/v1/lanes/{quote(any_id, safe='')}/{action}"


def _suspended(any_id: str) -> str:
    return f"/v1/definitions/{quote(any_id, safe='')}/suspended-urls"

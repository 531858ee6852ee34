"""Calls of /v1/redeliveries: jobs over every event that a filter finds. Raises as ``Client`` does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

from dispatcher.client.answers import JobItemJson, RedeliveryJson, RedeliveryPreviewJson, RedeliveryStartedJson
from dispatcher.client.paging import pages
from dispatcher.client.transport import Call

_PATH = "/v1/redeliveries"

Filter = str | Mapping[str, Any]
"""The grammar of docs/filters.md as a text, or conditions in the API's own names."""


class Jobs:
    """``action``: redeliver, deliver-now or resolve. ``rate``: events a second; None = as integrations allow."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]]) -> None:
        self._call = call

    async def start(
        self, wanted: Filter, action: str = "redeliver", rate: float | None = None
    ) -> RedeliveryStartedJson:
        """Begin a job over what matches now. Never sent twice."""
        call = Call("POST", _PATH, body=_body(wanted, action, rate), safe=False)
        return cast("RedeliveryStartedJson", await self._call(call))

    async def preview(
        self, wanted: Filter, action: str = "redeliver", rate: float | None = None
    ) -> RedeliveryPreviewJson:
        """Counts by status and integration, and the end at the rate; nothing is done."""
        call = Call("POST", _PATH, body=_body(wanted, action, rate) | {"dryRun": True})
        return cast("RedeliveryPreviewJson", await self._call(call))

    async def get(self, job_id: str) -> RedeliveryJson:
        return cast("RedeliveryJson", await self._call(Call("GET", _one(job_id))))

    async def cancel(self, job_id: str) -> RedeliveryJson:
        """Keep the work that was done; one that has ended stays as it ended."""
        return cast("RedeliveryJson", await self._call(Call("DELETE", _one(job_id))))

    def all(self, limit: int | None = None) -> AsyncIterator[RedeliveryJson]:
        """Newest first, of the last seven days."""
        return pages(self._call, _PATH, limit=limit)

    def items(self, job_id: str, limit: int | None = None) -> AsyncIterator[JobItemJson]:
        """Results, one an event, in the order in which they were handled."""
        return pages(self._call, f"{_one(job_id)}/items", limit=limit)


def _one(job_id: str) -> str:
    return f"{_PATH}/{quote(job_id, safe='')}"


def _body(wanted: Filter, action: str, rate: float | None) -> dict[str, Any]:
    asked = wanted if isinstance(wanted, str) else dict(wanted)
    return {"filter": asked, "action": action} | ({} if rate is None else {"rate": rate})

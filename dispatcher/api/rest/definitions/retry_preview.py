"""GET /v1/retry-preview: the planned times of a schedule, before anybody saves it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aiohttp import web

from dispatcher.api.http.request.parameters import SCHEDULE
from dispatcher.api.http.request.query import invalid_parameter
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.definitions.models import RetryPreviewOut
from dispatcher.api.services import SERVICES
from dispatcher.model.access import Scope
from dispatcher.policy.pace.retry import plan

MAX_S = 30 * 86_400.0
_SCHEDULE = re.compile(SCHEDULE)
_SECONDS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,40})?([eE]-?[0-9]{1,2})?")


async def preview(request: web.Request) -> web.StreamResponse:
    """In seconds after the first attempt. Without ``schedule`` the deployment's; an empty one means no retries."""
    given = request.query.get("schedule")
    schedule_s = request.app[SERVICES].deployment.retry_schedule_s if given is None else _schedule(given)
    attempts = [
        {"n": one.n, "atSeconds": one.at_s, "earliestSeconds": one.earliest_s, "latestSeconds": one.latest_s}
        for one in plan(schedule_s, _max_age(request.query))
    ]
    return json_response({"attempts": attempts})


def _schedule(text: str) -> Sequence[float]:
    delays = [float(one) for one in text.split(",") if one] if _SCHEDULE.fullmatch(text) else [MAX_S + 1]
    if any(delay > MAX_S for delay in delays):
        how = f"Give at most 50 delays of up to {MAX_S:.0f} seconds, comma-separated, such as 5,60,300."
        raise invalid_parameter("schedule", how)
    return delays


def _max_age(query: Mapping[str, str]) -> float | None:
    text = query.get("maxAge")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text) or not 1 <= float(text) <= MAX_S:
        raise invalid_parameter("maxAge", f"Give a number of seconds from 1 to {MAX_S:.0f}.")
    return float(text)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/retry-preview",
        preview,
        (Scope.EVENTS_READ, Scope.INTEGRATIONS_READ),
        "When an event whose attempts all fail is tried",
        answers={200: RetryPreviewOut},
        vendors=True,
    ),
)

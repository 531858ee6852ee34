"""Redeliver, deliver now or resolve everything that a filter finds, as a background job. Never waits for the job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.overload.turns import take_turn
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.query import integer
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.asked.filters import filter_from_body
from dispatcher.api.rest.events.asked.models import FilterIn
from dispatcher.api.rest.jobs.models import (
    RedeliveriesIn,
    RedeliveryOut,
    RedeliveryPageOut,
    RedeliveryPreviewOut,
    RedeliveryStartedOut,
)
from dispatcher.api.rest.jobs.redelivery_json import job_json, preview_json
from dispatcher.api.services import SERVICES
from dispatcher.errors import InvalidRequest, NotFound, Problem, Unprocessable
from dispatcher.flow.events.acting.bulk_preview import NOTHING, preview, tally
from dispatcher.flow.events.acting.bulk_redelivery import Redeliverer
from dispatcher.flow.events.reading.reach import within_reach
from dispatcher.flow.events.reading.used_keys import with_used_keys
from dispatcher.ids import new_uuid
from dispatcher.model.access import Caller, Scope
from dispatcher.model.queue import EventFilter
from dispatcher.model.redelivery import BulkAction, Redelivery
from dispatcher.policy.bulk_actions import of_action
from dispatcher.policy.event_filter.printing import print_filter
from dispatcher.policy.reach import reaches_account
from dispatcher.policy.strict_json import read_object
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore

REDELIVERER = web.AppKey("redeliverer", Redeliverer)
REDELIVERIES = web.AppKey("redeliveries", RedeliveryStore)

DEFAULT_LIMIT = 50
MAX_LIMIT = 500

NOTED_AS = {
    BulkAction.REDELIVER: "redeliverEvents",
    BulkAction.DELIVER_NOW: "deliverEventsNow",
    BulkAction.RESOLVE: "resolveEvents",
}


async def start_redelivery(request: web.Request) -> web.StreamResponse:
    """202 with how many events match, or 200 with ``dryRun``: by status and integration, and the end at the rate."""
    require_media(request, JSON)
    asked = validated(RedeliveriesIn, read_object(await read_body(request)))
    await take_turn(request, request[CALLER])
    services, action = request.app[SERVICES], BulkAction(asked.action)
    asked_for = _condition(asked.filter, action, services.now_ms())
    wanted = await with_used_keys(of_action(asked_for, action), request[CALLER].client_id, services.queue)
    condition = await within_reach(wanted, request[CALLER], services.definitions)
    counted = await tally(condition, services.reads) if condition else NOTHING
    if asked.dry_run:
        seen = await preview(counted, asked.rate, services.cache)
        return json_response(preview_json(seen, action, services.now_ms()))
    if condition is None:
        return json_response({"id": None, "matched": 0, "exact": True}, 202)
    job = Redelivery(
        new_uuid(),
        condition,
        total=counted.matched,
        client_id=request[CALLER].client_id,
        action=action,
        asked=_as_asked(asked.filter, asked_for),
        rate_per_s=asked.rate,
    )
    async with noted(request, NOTED_AS[action], "redelivery", job.id, after=_after(job)):
        await request.app[REDELIVERER].start(job)
    body = {"id": job.id, "matched": counted.matched, "exact": counted.exact}
    return json_response(body, 202, {"Location": f"/v1/redeliveries/{job.id}"})


async def list_redeliveries(request: web.Request) -> web.StreamResponse:
    """Newest first, of the last seven days."""
    limit = integer(request.query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    jobs, cursor = await request.app[REDELIVERIES].newest(request.query.get("cursor"), limit)
    shown = [job_json(job) for job in jobs if reaches_job(request[CALLER], job)]
    return json_response({"data": shown, "nextCursor": cursor})


async def get_redelivery(request: web.Request) -> web.StreamResponse:
    return json_response(job_json(await job_within_reach(request)))


async def cancel_redelivery(request: web.Request) -> web.StreamResponse:
    """Keep the work that was done. One that has ended stays as it ended."""
    job, store = await job_within_reach(request), request.app[REDELIVERIES]
    async with noted(request, "cancelRedelivery", "redelivery", job.id, before={"state": job.state.value}):
        await store.cancel(job.id)
    return json_response(job_json(await store.get(job.id) or job))


async def job_within_reach(request: web.Request) -> Redelivery:
    """The job of the path, or 404 when it does not exist for this caller."""
    job = await request.app[REDELIVERIES].get(request.match_info["id"])
    if job is None or not reaches_job(request[CALLER], job):
        raise NotFound.of("not_found", "There is no such redelivery, or it ended more than a week ago.")
    return job


def reaches_job(caller: Caller, job: Redelivery) -> bool:
    return caller.reaches(job.condition.vendor_id) and reaches_account(caller, job.condition.account_id)


def _after(job: Redelivery) -> dict[str, Any]:
    return {"filter": job.asked, "matched": job.total} | ({"rate": job.rate_per_s} if job.rate_per_s else {})


def _as_asked(asked: FilterIn, condition: EventFilter) -> dict[str, Any]:
    """As the job shows it; the times of a text are those that its ages meant."""
    if asked.q is None:
        return asked.model_dump(by_alias=True, exclude_none=True)
    return {"q": print_filter(condition)}


def _condition(asked: FilterIn, action: BulkAction, now_ms: int) -> EventFilter:
    """The filter, whose problems are named as fields of this body."""
    if asked.q is not None and not asked.q.strip():
        raise InvalidRequest.of("invalid_filter", "The text is empty; for every failed event give {}.", "filter")
    try:
        return filter_from_body(asked, now_ms, of_failures=action is BulkAction.REDELIVER)
    except InvalidRequest as error:
        if asked.q is not None and error.problems[0].code == "invalid_filter":
            raise InvalidRequest([replace(problem, field="filter") for problem in error.problems]) from None
        problems = [Problem("invalid_value", p.message, f"filter.{p.field}") for p in error.problems]
        raise Unprocessable(problems) from None


_PATH = "/v1/redeliveries"
_READ = (Scope.OPS_READ, Scope.OPS_WRITE)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _PATH,
        start_redelivery,
        (Scope.OPS_WRITE,),
        "Redeliver, deliver now or resolve every event that a filter finds",
        body=RedeliveriesIn,
        answers={202: RedeliveryStartedOut, 200: RedeliveryPreviewOut},
        vendors=True,
    ),
    Route("GET", _PATH, list_redeliveries, _READ, "List bulk jobs", answers={200: RedeliveryPageOut}, vendors=True),
    Route(
        "GET",
        f"{_PATH}/{{id}}",
        get_redelivery,
        _READ,
        "How far a bulk job is",
        answers={200: RedeliveryOut},
        vendors=True,
    ),
    Route(
        "DELETE",
        f"{_PATH}/{{id}}",
        cancel_redelivery,
        (Scope.OPS_WRITE,),
        "Cancel a bulk job",
        answers={200: RedeliveryOut},
        vendors=True,
    ),
)

"""Redeliver everything that a filter finds, as a background job with progress. Never waits for the job."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.body import JSON, read_body, require_media
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.http.validation import validated
from dispatcher.api.rest.filters import filter_from_body
from dispatcher.api.rest.models import FilterIn, RedeliveriesIn, RedeliveryOut, RedeliveryStartedOut
from dispatcher.api.services import SERVICES
from dispatcher.errors import InvalidRequest, NotFound, Problem, Unprocessable
from dispatcher.flow.events.bulk_redelivery import Redeliverer, of_failures
from dispatcher.flow.events.reach import within_reach
from dispatcher.ids import new_uuid
from dispatcher.model.access import Scope
from dispatcher.model.queue import EventFilter
from dispatcher.policy.strict_json import read_object

REDELIVERER = web.AppKey("redeliverer", Redeliverer)


async def start_redelivery(request: web.Request) -> web.StreamResponse:
    """202 with how many events match; with ``dryRun`` that is all that happens, and ``id`` is null."""
    require_media(request, JSON)
    asked = validated(RedeliveriesIn, read_object(await read_body(request)))
    redeliverer, definitions = request.app[REDELIVERER], request.app[SERVICES].definitions
    wanted = of_failures(_condition(asked.filter))
    condition = await within_reach(wanted, request[CALLER], definitions)
    matched = await redeliverer.count(condition) if condition else 0
    if asked.dry_run or condition is None:
        return json_response({"id": None, "matched": matched}, 202)
    job_id = new_uuid()
    asked_for = {"filter": asked.filter.model_dump(by_alias=True, exclude_none=True)}
    async with noted(request, "redeliverEvents", "redelivery", job_id, after=asked_for | {"matched": matched}):
        job = await redeliverer.start(condition, matched, request[CALLER].client_id, job_id)
    return json_response({"id": job.id, "matched": matched}, 202, {"Location": f"/v1/redeliveries/{job.id}"})


async def get_redelivery(request: web.Request) -> web.StreamResponse:
    job = await request.app[REDELIVERER].find(request.match_info["id"])
    if job is None or not request[CALLER].reaches(job.condition.vendor_id):
        raise NotFound.of("not_found", "There is no such redelivery, or it ended more than a week ago.")
    body = {"id": job.id, "state": job.state.value, "done": job.done, "total": job.total, "skipped": job.skipped}
    return json_response(body)


def _condition(asked: FilterIn) -> EventFilter:
    """The filter, whose problems are named as fields of this body."""
    try:
        return filter_from_body(asked)
    except InvalidRequest as error:
        problems = [Problem("invalid_value", p.message, f"filter.{p.field}") for p in error.problems]
        raise Unprocessable(problems) from None


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/redeliveries",
        start_redelivery,
        (Scope.OPS_WRITE,),
        "Redeliver every failed event that a filter finds",
        body=RedeliveriesIn,
        answers={202: RedeliveryStartedOut},
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/redeliveries/{id}",
        get_redelivery,
        (Scope.OPS_READ, Scope.OPS_WRITE),
        "How far a bulk redelivery is",
        answers={200: RedeliveryOut},
        vendors=True,
    ),
)

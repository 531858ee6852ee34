"""The queue as JSON for operators, and pausing and resuming a lane."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.query import integer
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.shown.event_json import iso_or_none
from dispatcher.api.rest.operating.lane_models import LaneOut, PausedLanesOut, ResumeAllIn, ResumedLanesOut
from dispatcher.api.rest.operating.pausing import TAG, asked_pause, pause_json, pausing
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound
from dispatcher.flow.events.acting.pause import pause, resume
from dispatcher.flow.events.acting.pause_all import PausedLanes, pause_all, paused_lanes, resume_all
from dispatcher.flow.events.reading.reach import reachable_integration
from dispatcher.model.access import Scope
from dispatcher.model.integration import Integration
from dispatcher.model.queue import LaneView, PartitionView, QueueOverview, TypePause, WorkerView
from dispatcher.policy.strict_json import read_object
from dispatcher.store.definitions.editing import Definitions

DEFAULT_LANES = 100
MAX_LANES = 1000


async def get_queue(request: web.Request) -> web.StreamResponse:
    """``lanes`` = how many of the busiest integrations are listed."""
    lanes = integer(request.query, "lanes", DEFAULT_LANES, 0, MAX_LANES)
    services = request.app[SERVICES]
    held = [type_json(one) for one in await services.reads.type_pauses.all(services.now_ms())]
    seen = overview_json(await services.reads.overview(lanes))
    known = (await services.cache.load(integrations=[one["integrationId"] for one in seen["lanes"]])).integrations
    for lane in seen["lanes"]:
        lane["name"] = known[lane["integrationId"]].name if lane["integrationId"] in known else None
    return json_response(seen | {"pausedTypes": held})


def type_json(held: TypePause) -> dict[str, Any]:
    return {"type": held.kind.value, **pause_json(held.pause), "since": iso_or_none(held.since_ms)}


async def pause_lane(request: web.Request) -> web.StreamResponse:
    """Events are accepted and held until the lane is resumed, or the pause ends. Once more changes reason and end."""
    services, integration_id = request.app[SERVICES], (await _integration(request)).id
    hold = await asked_pause(request)
    after = {"paused": True} | {name: value for name, value in pause_json(hold).items() if value and name != "by"}
    async with noted(request, "pauseLane", "lane", integration_id, after=after):
        await pause(integration_id, hold, services.queue, services.notify, services.now_ms())
    return json_response({"integrationId": integration_id, "paused": True, "pause": pause_json(hold)})


async def pause_all_lanes(request: web.Request) -> web.StreamResponse:
    """Every integration that there is, a vendor's own ones for its client; those that are made later are not paused."""
    services, hold = request.app[SERVICES], await asked_pause(request)
    after = {name: value for name, value in pause_json(hold).items() if value and name != "by"}
    async with noted(request, "pauseAllLanes", "lane", ALL, after=after):
        held = await pause_all(hold, _mine(request), services.queue, services.notify, services.now_ms())
    return json_response({"paused": held, "pause": pause_json(hold)})


async def resume_all_lanes(request: web.Request) -> web.StreamResponse:
    """Those that are paused; what else holds an integration back stays. ``dryRun`` only counts."""
    services = request.app[SERVICES]
    raw = await read_body(request)
    if raw:
        require_media(request, JSON)
    if raw and validated(ResumeAllIn, read_object(raw)).dry_run:
        return json_response(_resumption_json(await paused_lanes(_mine(request), services.queue), done=False))
    async with noted(request, "resumeAllLanes", "lane", ALL):
        resumed = await resume_all(_mine(request), services.queue, services.notify, services.now_ms())
    return json_response(_resumption_json(resumed, done=True))


def _resumption_json(found: PausedLanes, *, done: bool) -> dict[str, int]:
    resumed = found.integrations if done else 0
    return {"resumed": resumed, "matched": found.integrations, "waiting": found.waiting}


def _mine(request: web.Request) -> Definitions:
    return request.app[SERVICES].definitions.of_vendor(request[CALLER].vendor_id)


async def resume_lane(request: web.Request) -> web.StreamResponse:
    """Held events go on in their order; URLs suspended after 410 Gone are tried again where they are still published.

    What was for another goes to the URL that is published now.
    """
    services, integration = request.app[SERVICES], await _integration(request)
    async with noted(request, "resumeLane", "lane", integration.id, after={"paused": False}):
        newest = await services.definitions.needed(integration.id)
        await resume(newest, services.definitions, services.queue, services.notify, services.now_ms())
    return json_response({"integrationId": integration.id, "paused": False, "pause": None})


async def _integration(request: web.Request) -> Integration:
    asked = request.match_info["integrationId"]
    integration = await reachable_integration(asked, request[CALLER], request.app[SERVICES].cache)
    if integration is None:
        raise NotFound.of("not_found", "There is no such integration; check its id.", "integrationId")
    return integration


def overview_json(overview: QueueOverview) -> dict[str, Any]:
    return {
        "ready": overview.ready,
        "waiting": overview.waiting,
        "scheduled": overview.scheduled,
        "inFlight": overview.in_flight,
        "awaitingResult": overview.awaiting,
        "deadLetters": overview.dead_letters,
        "oldestReadySeconds": overview.oldest_ready_s,
        "oldestPausedSeconds": overview.oldest_paused_s,
        "circuitsOpen": overview.circuits_open,
        "partitions": [_partition_json(view) for view in overview.partitions],
        "lanes": [_lane_json(view) for view in overview.lanes],
        "workers": [_worker_json(view) for view in overview.workers],
    }


def _partition_json(view: PartitionView) -> dict[str, Any]:
    return {
        "partition": view.partition,
        "owner": view.owner,
        "generation": view.generation,
        "leaseUntil": iso_or_none(view.lease_until_ms or None),
        "ready": view.ready,
        "waiting": view.waiting,
        "scheduled": view.scheduled,
        "inFlight": view.in_flight,
        "awaitingResult": view.awaiting,
        "open": view.open,
    }


def _lane_json(view: LaneView) -> dict[str, Any]:
    return {
        "integrationId": view.integration_id,
        "partition": view.partition,
        "ready": view.ready,
        "waiting": view.waiting,
        "scheduled": view.scheduled,
        "inFlight": view.in_flight,
        "parked": view.parked,
        "concurrency": view.concurrency,
        "oldestReadyAt": iso_or_none(view.oldest_ready_ms),
        "nextDueAt": iso_or_none(view.next_due_ms),
        "paused": view.paused,
        "pause": pause_json(view.pause) | {"since": iso_or_none(view.paused_since_ms)} if view.paused else None,
        "circuitOpenUntil": iso_or_none(view.circuit_open_until_ms),
        "slowedUntil": iso_or_none(view.slowed_until_ms),
        "credentials": {
            "state": "FAILING" if view.token_failing_since_ms else "AUTHORIZED",
            "since": iso_or_none(view.token_failing_since_ms),
        },
        "suspendedUrls": list(view.suspended_urls),
    }


def _worker_json(view: WorkerView) -> dict[str, Any]:
    return {
        "workerId": view.worker_id,
        "host": view.host,
        "pid": view.pid,
        "lastSeenAt": iso_or_none(view.last_seen_ms),
        "partitions": list(view.partitions),
        "inFlight": view.in_flight,
    }


ALL = "*"
"""Of the audit log: every integration within its author's reach."""
_PATH = "/v1/lanes/{integrationId}"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/queue",
        get_queue,
        (Scope.OPS_READ,),
        "The queue at this moment",
        tag=TAG,
        reads_much=True,
    ),
    *pausing(
        "/v1/lanes",
        (pause_all_lanes, "Hold the events of all integrations back", PausedLanesOut),
        (resume_all_lanes, "Let all that are paused go on", ResumedLanesOut),
        vendors=True,
        resume_body=ResumeAllIn,
    ),
    *pausing(
        _PATH,
        (pause_lane, "Hold an integration's events back", LaneOut),
        (resume_lane, "Let them go on", LaneOut),
        vendors=True,
    ),
)

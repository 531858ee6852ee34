"""The queue as JSON for operators, and pausing and resuming a lane."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.query import integer
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.event_json import iso_or_none
from dispatcher.api.rest.models import LaneOut
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound
from dispatcher.flow.events.pause import pause, resume
from dispatcher.flow.events.reach import reachable_integration
from dispatcher.model.access import Scope
from dispatcher.model.integration import Integration
from dispatcher.model.queue import LaneView, PartitionView, QueueOverview, WorkerView

DEFAULT_LANES = 100
MAX_LANES = 1000


async def get_queue(request: web.Request) -> web.StreamResponse:
    """``lanes`` = how many of the busiest integrations are listed."""
    lanes = integer(request.query, "lanes", DEFAULT_LANES, 0, MAX_LANES)
    return json_response(overview_json(await request.app[SERVICES].reads.overview(lanes)))


async def pause_lane(request: web.Request) -> web.StreamResponse:
    """Events are accepted and held until the lane is resumed."""
    services, integration_id = request.app[SERVICES], (await _integration(request)).id
    async with noted(request, "pauseLane", "lane", integration_id, after={"paused": True}):
        await pause(integration_id, services.queue, services.notify, services.now_ms())
    return json_response({"integrationId": integration_id, "paused": True})


async def resume_lane(request: web.Request) -> web.StreamResponse:
    """Held events go on in their order; URLs suspended after 410 Gone are tried again where they are still published.

    What was for another goes to the URL that is published now.
    """
    services, integration = request.app[SERVICES], await _integration(request)
    async with noted(request, "resumeLane", "lane", integration.id, after={"paused": False}):
        newest = await services.definitions.needed(integration.id)
        await resume(newest, services.definitions, services.queue, services.notify, services.now_ms())
    return json_response({"integrationId": integration.id, "paused": False})


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


_PATH = "/v1/lanes/{integrationId}"
_TAG = "operations"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/queue",
        get_queue,
        (Scope.OPS_READ,),
        "The queue at this moment",
        tag=_TAG,
        reads_much=True,
    ),
    Route(
        "POST",
        f"{_PATH}/pause",
        pause_lane,
        (Scope.OPS_WRITE,),
        "Hold an integration's events back",
        answers={200: LaneOut},
        tag=_TAG,
        vendors=True,
    ),
    Route(
        "POST",
        f"{_PATH}/resume",
        resume_lane,
        (Scope.OPS_WRITE,),
        "Let them go on",
        answers={200: LaneOut},
        tag=_TAG,
        vendors=True,
    ),
)

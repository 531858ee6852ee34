"""GET /v1/metrics/…: figures of the past as JSON, in steps of time. Bounded, and within the caller's reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from dispatcher.api.http.request.query import integer, invalid_parameter, moment_ms, name_of, several
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.operating.metric_models import IntegrationsFiguresOut, PercentileSeriesOut, SeriesOut
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.flow.events.reading.figures import Asked, Steps
from dispatcher.model.access import Scope
from dispatcher.policy.figures.history import Window, total
from dispatcher.policy.figures.tally import COUNTS, MEASURES, Figures, count, observed, percentile

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
MAX_STEP_S = 90 * 86_400
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
OF_INTEGRATIONS = COUNTS[1:]
"""Nobody counts what is accepted for one integration."""


async def series(request: web.Request) -> web.StreamResponse:
    """Counts of each step: of the fleet, of one integration, or of all that a vendor has."""
    steps = await _steps(request)
    metrics = _chosen_counts(request, steps)
    whole = total(steps.figures)
    return json_response(
        _window_json(steps.seen)
        | {
            "integrationId": steps.integration_id,
            "series": {metric: [count(figures, metric) for figures in steps.figures] for metric in metrics},
            "totals": {metric: count(whole, metric) for metric in metrics},
        }
    )


async def percentiles(request: web.Request) -> web.StreamResponse:
    """Latency and duration of attempts, of each step."""
    measures = _chosen(request, "measure", MEASURES)
    steps = await _steps(request)
    whole = total(steps.figures)
    return json_response(
        _window_json(steps.seen)
        | {
            "integrationId": steps.integration_id,
            "measures": {measure: _percentiles_json(steps.figures, measure) for measure in measures},
            "totals": {measure: _percentile_json(whole, measure) for measure in measures},
        }
    )


async def integrations(request: web.Request) -> web.StreamResponse:
    """Integrations with attempts, those with most of ``sort`` first."""
    query, services = request.query, request.app[SERVICES]
    limit, sort = integer(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT), query.get("sort", "attempts")
    if sort not in OF_INTEGRATIONS:
        raise invalid_parameter("sort", f"Give one of {', '.join(OF_INTEGRATIONS)}.")
    ranking = await services.past.by_integration(_asked(request), request[CALLER], services.now_ms())
    ranked = sorted(ranking.figures.items(), key=lambda one: (-count(one[1], sort), one[0]))
    data = [await _integration_json(request, *one) for one in ranked[:limit]]
    left_out = ranking.left_out + len(ranked) - len(data)
    return json_response(_window_json(ranking.seen) | {"data": data, "leftOut": left_out})


async def _steps(request: web.Request) -> Steps:
    services, any_id = request.app[SERVICES], name_of(request.query, "integrationId")
    return await services.past.steps(_asked(request), request[CALLER], any_id, services.now_ms())


def _asked(request: web.Request) -> Asked:
    query = request.query
    step_s = integer(query, "step", 0, 1, MAX_STEP_S) or None
    return Asked(moment_ms(query, "from"), moment_ms(query, "to"), step_s)


def _chosen_counts(request: web.Request, steps: Steps) -> Sequence[str]:
    there = COUNTS if steps.fleet else OF_INTEGRATIONS
    chosen = _chosen(request, "metric", COUNTS)
    if "metric" in request.query and (unknown := [metric for metric in chosen if metric not in there]):
        text = f"{unknown[0]} is counted for the whole fleet only: give one or more of {', '.join(there)}."
        raise invalid_parameter("metric", text)
    return [metric for metric in chosen if metric in there]


def _chosen(request: web.Request, name: str, known: Sequence[str]) -> Sequence[str]:
    """In the order of ``known``; all of them when none is named."""
    chosen = several(request.query, name, lambda text: text if text in known else None, list(known))
    return [one for one in known if one in chosen or not chosen]


def _window_json(seen: Window) -> dict[str, Any]:
    return {"from": iso_ms(seen.from_ms), "to": iso_ms(seen.to_ms), "stepSeconds": seen.step_s}


def _percentiles_json(steps: Sequence[Figures], measure: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: [percentile(figures, measure, share) for figures in steps] for name, share in SHARES.items()
    }
    return found | {"count": [observed(figures, measure) for figures in steps]}


def _percentile_json(figures: Figures, measure: str) -> dict[str, Any]:
    found: dict[str, Any] = {name: percentile(figures, measure, share) for name, share in SHARES.items()}
    return found | {"count": observed(figures, measure)}


async def _integration_json(request: web.Request, integration_id: str, figures: Figures) -> dict[str, Any]:
    integration = await request.app[SERVICES].cache.integration(integration_id)
    return (
        {"integrationId": integration_id, "name": integration.name if integration else None}
        | {metric: count(figures, metric) for metric in OF_INTEGRATIONS}
        | {measure: _percentile_json(figures, measure) for measure in MEASURES}
    )


_TAG = "operations"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/metrics/series",
        series,
        (Scope.OPS_READ,),
        "Events and attempts over time",
        answers={200: SeriesOut},
        tag=_TAG,
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/metrics/percentiles",
        percentiles,
        (Scope.OPS_READ,),
        "Latency and duration of attempts over time",
        answers={200: PercentileSeriesOut},
        tag=_TAG,
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/metrics/integrations",
        integrations,
        (Scope.OPS_READ,),
        "Figures of each integration that had attempts",
        answers={200: IntegrationsFiguresOut},
        tag=_TAG,
        vendors=True,
    ),
)

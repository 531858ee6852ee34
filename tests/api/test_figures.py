"""GET /v1/metrics/…: figures of the past, their bounds, and whose they are."""

from __future__ import annotations

import pytest
from jsonschema_rs import validator_for

from dispatcher.flow.events.reading import figures as figures_flow
from dispatcher.model.attempt import Outcome
from dispatcher.model.status import Status
from dispatcher.policy.figures.history import LANE, MOST_POINTS
from dispatcher.policy.figures.tally import Figures, count_attempt, count_end, no_figures
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory, Slot
from tests.api.conftest import Api
from tests.api.tenants import Tenant, bearer
from tests.api.town import town

__all__ = ["town"]

ROUTES = ("series", "percentiles", "integrations")


def figures(*, ok: int = 0, failed: int = 0, accepted: int = 0) -> Figures:
    made = no_figures()
    made[0] = accepted
    for _ in range(ok):
        count_attempt(made, Outcome.OK, 0.02, 0.004)
        count_end(made, Status.SUCCEEDED)
    for _ in range(failed):
        count_attempt(made, Outcome.HTTP_ERROR, 0.3, None)
    return made


async def past_of(api: Api, integration_id: str, ago_s: int, made: Figures) -> None:
    """As if a worker had sampled it then."""
    at_ms, lane = api.clock.now_ms() - ago_s * 1000, (api.services.queue.partition_of(integration_id), integration_id)
    slots = [Slot(lane, one, one.span_at(at_ms), made, True) for one in LANE]
    await LaneHistory(api.redis).write(slots)


async def ids_of(api: Api) -> tuple[str, int]:
    (integration,) = (await api.services.definitions.integrations()).items
    return integration.id, integration.app_market_id


async def test_series_of_the_fleet_have_a_number_for_each_step(api: Api) -> None:
    fleet, now_ms = FleetHistory(api.redis), api.clock.now_ms()
    await fleet.add(now_ms - 120_000, figures(ok=2, accepted=5))
    await fleet.add(now_ms - 119_000, figures(failed=1))
    await fleet.add(now_ms, figures(ok=1, accepted=1))
    span = f"from={now_ms - 120_000}&to={now_ms + 1}&step=60"
    path = f"/v1/metrics/series?metric=accepted,failures&metric=delivered&{span}"
    body = await api.json("GET", path, 200)
    assert body["series"] == {"accepted": [5, 0, 1], "delivered": [2, 0, 1], "failures": [1, 0, 0]}
    assert body["totals"] == {"accepted": 6, "delivered": 3, "failures": 1}
    assert (body["stepSeconds"], body["integrationId"]) == (60, None)
    assert (body["from"], body["to"]) == ("2027-01-15T07:58:00.000Z", "2027-01-15T08:01:00.000Z")


async def test_without_parameters_it_is_the_last_hour_by_the_minute(api: Api) -> None:
    body = await api.json("GET", "/v1/metrics/series", 200)
    assert body["stepSeconds"] == 60
    assert set(body["series"]) == {"accepted", "delivered", "failed", "attempts", "failures", "tokenFailures"}
    assert {len(points) for points in body["series"].values()} == {61}


async def test_the_last_minutes_are_told_by_the_second(api: Api) -> None:
    body = await api.json("GET", f"/v1/metrics/series?from={api.clock.now_ms() - 300_000}", 200)
    assert body["stepSeconds"] == 1


async def test_percentiles_are_read_off_the_buckets(api: Api) -> None:
    await FleetHistory(api.redis).add(api.clock.now_ms(), figures(ok=98, failed=2))
    body = await api.json("GET", "/v1/metrics/percentiles?measure=attemptTime", 200)
    (measure,) = body["measures"].values()
    assert measure["count"][-1] == 100
    assert measure["p50"][0] is None
    assert 0.01 <= measure["p50"][-1] <= 0.025 < 0.25 <= measure["p99"][-1] <= 0.5
    assert body["totals"]["attemptTime"]["count"] == 100
    both = await api.json("GET", "/v1/metrics/percentiles", 200)
    assert set(both["measures"]) == {"latency", "attemptTime"}
    assert both["totals"]["latency"]["p99"] <= 0.005


async def test_one_integration_is_asked_for_by_any_of_its_ids(api: Api) -> None:
    integration_id, number = await ids_of(api)
    await past_of(api, integration_id, 0, figures(ok=3, failed=1))
    for any_id in (integration_id, number):
        body = await api.json("GET", f"/v1/metrics/series?integrationId={any_id}", 200)
        assert body["integrationId"] == integration_id
        assert body["totals"] == {"delivered": 3, "failed": 0, "attempts": 4, "failures": 1, "tokenFailures": 0}
    week = await api.json("GET", f"/v1/metrics/series?integrationId={number}&step=86400&from=2027-01-01", 200)
    assert week["totals"]["attempts"] == 4
    assert week["series"]["attempts"][-1] == 4


async def test_integrations_are_ranked_and_named(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    integration_id, _ = await ids_of(api)
    await past_of(api, integration_id, 600, figures(ok=3, failed=1))
    await past_of(api, "deleted", 0, figures(ok=9))
    body = await api.json("GET", "/v1/metrics/integrations", 200)
    assert [(one["integrationId"], one["attempts"], one["name"]) for one in body["data"]] == [
        ("deleted", 9, None),
        (integration_id, 4, "test"),
    ]
    assert body["data"][1]["latency"]["count"] == 3
    body = await api.json("GET", "/v1/metrics/integrations?sort=failures&limit=1", 200)
    assert [one["failures"] for one in body["data"]] == [1]
    assert body["leftOut"] == 1
    monkeypatch.setattr(figures_flow, "MOST_INTEGRATIONS", 1)
    body = await api.json("GET", "/v1/metrics/integrations", 200)
    assert ([one["integrationId"] for one in body["data"]], body["leftOut"]) == (["deleted"], 1)


async def test_a_vendor_sees_its_own_integrations_and_their_sum(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    api = acme.api
    for n, tenant in enumerate(town, 1):
        await past_of(api, tenant.id, 0, figures(ok=n))
    await FleetHistory(api.redis).add(api.clock.now_ms(), figures(ok=6, accepted=6))
    for n, tenant in enumerate((acme, brick), 1):
        mine = await bearer(api, "ops:read", vendor_id=tenant.vendor_id)
        body = await api.json("GET", "/v1/metrics/series", 200, headers=mine)
        assert body["totals"]["delivered"] == n
        assert "accepted" not in body["totals"]
        body = await api.json("GET", "/v1/metrics/percentiles", 200, headers=mine)
        assert body["totals"]["attemptTime"]["count"] == n
        body = await api.json("GET", "/v1/metrics/integrations", 200, headers=mine)
        assert [one["integrationId"] for one in body["data"]] == [tenant.id]
        path = f"/v1/metrics/series?integrationId={marketplace.id}"
        await api.refused("GET", path, 404, "not_found", "integrationId", headers=mine)
    headers = await bearer(api, "ops:read", vendor_id="nobody")
    assert (await api.json("GET", "/v1/metrics/series", 200, headers=headers))["totals"]["delivered"] == 0
    headers = await bearer(api, "ops:read", account_id="A")
    for route in ROUTES:
        await api.refused("GET", f"/v1/metrics/{route}", 403, "account_restricted", headers=headers)


BAD = [
    ("series?metric=nonsense", "metric"),
    ("series?metric=", "metric"),
    ("series?step=0", "step"),
    ("series?step=1.5", "step"),
    ("series?step=7&from=2026-01-01", "step"),
    ("series?step=1&from=2027-01-15T07:50:00Z&to=2027-01-15T07:59:00Z&integrationId=1", "step"),
    (f"series?step=60&from=0&to={MOST_POINTS}", "step"),
    ("series?from=2027-01-15T08:00:00Z&to=2027-01-15T07:00:00Z", "from"),
    ("series?from=2030-01-01", "from"),
    ("series?from=yesterday", "from"),
    ("series?to=-1", "to"),
    ("series?integrationId=", "integrationId"),
    ("series?integrationId=1&metric=accepted", "metric"),
    ("series?steps=60", "steps"),
    ("percentiles?measure=size", "measure"),
    ("integrations?sort=accepted", "sort"),
    ("integrations?limit=501", "limit"),
    ("integrations?metric=attempts", "metric"),
]


@pytest.mark.parametrize(("query", "field"), BAD)
async def test_what_cannot_be_answered_is_refused_by_its_name(api: Api, query: str, field: str) -> None:
    _, number = await ids_of(api)
    path = query.replace("integrationId=1", f"integrationId={number}")
    await api.refused("GET", f"/v1/metrics/{path}", 400, "invalid_parameter", field)


async def test_answers_are_as_the_document_says(api: Api) -> None:
    integration_id, _ = await ids_of(api)
    await past_of(api, integration_id, 0, figures(ok=3, failed=1))
    document = await api.json("GET", "/openapi.json", 200)
    for route in ROUTES:
        operation = document["paths"][f"/v1/metrics/{route}"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        body = await api.json("GET", f"/v1/metrics/{route}", 200)
        checked = validator_for({**schema, "components": document["components"]})
        assert [error.message for error in checked.iter_errors(body)] == []

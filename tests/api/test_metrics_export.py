"""Metrics pushed by OTLP: to a real receiver, under the names that /metrics has."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import Start
from tests.otlp import receiving
from tests.waiting import until

API = "dispatcher-api"
UNKNOWN_AT_FIRST = "dispatcher_sealed_stale"
"""Until somebody has counted."""


def names_on(page: str) -> set[str]:
    """Of each metric, as a query names it; a histogram's by what its series have in common."""
    found = set()
    for family in text_string_to_metric_families(page):
        found |= {family.name} if family.type == "histogram" else {sample.name for sample in family.samples}
    return found


async def test_the_api_pushes_what_its_page_shows(start: Start) -> None:
    async with receiving() as receiver:
        api = await start(metrics_url=receiver.metrics_url)
        await until(lambda: API in receiver.metrics, 30)
        told = receiver.metrics[API]
        shown = names_on(await (await api.ask("GET", "/metrics")).text())
        assert set(told) | {UNKNOWN_AT_FIRST} == shown | {UNKNOWN_AT_FIRST}
        await api.http.close()
    accepted = told["dispatcher_events_accepted_total"].sum
    assert accepted.is_monotonic
    assert [point.as_double or point.as_int for point in accepted.data_points] == [0]
    by_outcome = told["dispatcher_attempts_total"].sum.data_points
    assert {point.attributes[0].key for point in by_outcome} == {"outcome"}
    (latency,) = told["dispatcher_delivery_latency_seconds"].histogram.data_points
    assert len(latency.bucket_counts) == len(latency.explicit_bounds) + 1


async def test_a_collector_that_is_away_ends_nothing(start: Start) -> None:
    async with receiving() as receiver:
        gone = receiver.metrics_url
    api = await start(metrics_url=gone)
    assert (await api.ask("GET", "/metrics")).status == 200
    await api.http.close()

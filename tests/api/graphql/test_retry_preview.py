"""Times at which events will be tried again, as publishers ask before they decide on a schedule."""

from __future__ import annotations

from typing import Any

from tests.api.graphql.conftest import Graph

PREVIEW = "retryPreview { n atSeconds earliestSeconds latestSeconds }"


async def preview(graph: Graph, fields: str) -> Any:
    own_id = (await graph.created(fields))["id"]
    return (await graph.shown(own_id, PREVIEW))["retryPreview"]


async def test_preview_lists_every_attempt_with_its_spread(graph: Graph) -> None:
    assert await preview(graph, "retrySchedule: [5, 60]") == [
        {"n": 1, "atSeconds": 0, "earliestSeconds": 0, "latestSeconds": 0},
        {"n": 2, "atSeconds": 5, "earliestSeconds": 4, "latestSeconds": 6},
        {"n": 3, "atSeconds": 65, "earliestSeconds": 52, "latestSeconds": 78},
    ]


async def test_preview_without_a_schedule_is_that_of_the_deployment(graph: Graph) -> None:
    delays = graph.api.services.deployment.retry_schedule_s
    planned = await preview(graph, 'name: "x"')
    assert [one["atSeconds"] for one in planned] == [sum(delays[:n]) for n in range(len(delays) + 1)]


async def test_preview_of_an_empty_schedule_is_one_attempt(graph: Graph) -> None:
    assert [one["n"] for one in await preview(graph, "retrySchedule: []")] == [1]


async def test_preview_ends_at_the_maximum_age(graph: Graph) -> None:
    planned = await preview(graph, "retrySchedule: [5, 60, 600], maxAge: 70")
    assert [(one["atSeconds"], one["latestSeconds"]) for one in planned] == [(0, 0), (5, 6), (65, 70)]


async def test_each_version_has_its_own_preview(graph: Graph) -> None:
    own_id = (await graph.created("retrySchedule: [5]"))["id"]
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    await graph.change("updateProductIntegration", f'id: "{own_id}", retrySchedule: [7]')
    shown = await graph.shown(own_id, f"{PREVIEW} published {{ {PREVIEW} }}")
    assert shown["retryPreview"][1]["atSeconds"] == 7
    assert shown["published"]["retryPreview"][1]["atSeconds"] == 5

"""Queries that would read the same lists again and again: what they read is bounded in bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.api.graphql.bounds.allowance import MOST_BYTES
from dispatcher.model.integration import Revision
from tests.api.conftest import publish
from tests.api.graphql.conftest import Graph
from tests.store_commands import counted

TEXT = "x" * 4000


async def with_revisions(graph: Graph, how_many: int) -> str:
    definitions = graph.api.services.definitions
    made = await publish(graph.api.services, Revision(urls={}, created_by=TEXT))
    for number in range(2, how_many + 1):
        made = await definitions.publish(made, made.modified_ms, replace(made.working, number=number))
    return made.id


@pytest.mark.parametrize(
    "wanted",
    [
        "revisions { revisions { id } }",
        " ".join(f"a{n}: revisions {{ id }}" for n in range(30)),
        "revisions { published { revisions { id } } }",
    ],
)
async def test_lists_that_are_read_again_and_again_are_refused_in_time(graph: Graph, wanted: str) -> None:
    own_id = await with_revisions(graph, 50)
    async with counted(graph.api.redis) as commands:
        status, body = await graph.send(f'{{ productIntegration(id: "{own_id}") {{ {wanted} }} }}')
    assert status == 200
    assert {error["extensions"]["code"] for error in body["errors"]} == {"query_too_large"}
    assert commands.told_bytes < 2 * MOST_BYTES


async def test_every_revision_of_an_integration_can_be_read(graph: Graph) -> None:
    own_id = await with_revisions(graph, 50)
    found = await graph.shown(own_id, "revisions { revision publishedBy } published { revision }")
    assert [one["revision"] for one in found["revisions"]] == list(range(1, 51))
    assert found["revisions"][0]["publishedBy"] == TEXT


async def test_views_of_what_was_read_add_up(graph: Graph) -> None:
    own_id = await with_revisions(graph, 50)
    views = " ".join(f"w{n}: working {{ id }}" for n in range(48))
    status, body = await graph.send(f'{{ productIntegration(id: "{own_id}") {{ revisions {{ {views} }} }} }}')
    assert status == 200
    assert {error["extensions"]["code"] for error in body["errors"]} == {"query_too_large"}

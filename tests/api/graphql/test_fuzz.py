"""Whatever fits the schema, and text that does not: never a server error, never a slow answer."""

from __future__ import annotations

import asyncio
import time

import pytest
from graphql import ValueNode
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from dispatcher.api.graphql.schema import build_schema
from tests.api.graphql.conftest import Graph

SDL = build_schema().as_str()
SCALARS: dict[str, st.SearchStrategy[ValueNode]] = {
    "JSON": st.sampled_from([nodes.Object([]), nodes.String("x"), nodes.List([])])
}
KINDS: dict[str, st.SearchStrategy[object]] = {
    "queries": queries(SDL, custom_scalars=SCALARS),
    "mutations": mutations(SDL, custom_scalars=SCALARS),
    "text": st.text(),
}
MANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def sampled(strategy: st.SearchStrategy[object]) -> list[str]:
    """Examples drawn away from the event loop, since hypothesis cannot await."""
    drawn: list[str] = []

    @MANY
    @given(strategy)
    def draw(text: object) -> None:
        drawn.append(str(text))

    draw()
    return drawn


@pytest.mark.parametrize("kind", KINDS)
async def test_no_query_is_a_server_error(graph: Graph, kind: str) -> None:
    for query in await asyncio.to_thread(sampled, KINDS[kind]):
        started = time.process_time()
        status, body = await graph.send(query)
        assert status in (200, 400, 422), (query, body)
        assert "internal_error" not in str(body), (query, body)
        assert time.process_time() - started < 5.0

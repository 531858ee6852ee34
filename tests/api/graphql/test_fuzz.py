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

SCALARS: dict[str, st.SearchStrategy[ValueNode]] = {
    "JSON": st.sampled_from([nodes.Object([]), nodes.String("x"), nodes.List([])])
}
OF_SCHEMA = {"queries": queries, "mutations": mutations}
KINDS = (*OF_SCHEMA, "text")
MANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def strategy(kind: str) -> st.SearchStrategy[object]:
    if kind not in OF_SCHEMA:
        return st.text()
    return OF_SCHEMA[kind](build_schema().as_str(), custom_scalars=SCALARS)


def sampled(kind: str) -> list[str]:
    """Examples drawn away from the event loop, since hypothesis cannot await."""
    drawn: list[str] = []

    @MANY
    @given(strategy(kind))
    def draw(text: object) -> None:
        drawn.append(str(text))

    draw()
    return drawn


@pytest.mark.parametrize("kind", KINDS)
async def test_no_query_is_a_server_error(graph: Graph, kind: str) -> None:
    for query in await asyncio.to_thread(sampled, kind):
        started = time.process_time()
        status, body = await graph.send(query)
        assert status in (200, 400, 422), (query, body)
        assert "internal_error" not in str(body), (query, body)
        assert time.process_time() - started < 5.0

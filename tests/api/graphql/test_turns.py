"""Bounds on a client's work under way by GraphQL: changes and large queries take turns, of which others keep some."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dispatcher.api.graphql.bounds.allowance import LARGE_QUERIES, QUERY_TURNS
from dispatcher.api.http.overload.turns import CHANGE_TURNS, CHANGES, Turns
from dispatcher.model.ping import CredentialsTried
from tests.api.conftest import ADMIN_ID
from tests.api.graphql.conftest import Graph
from tests.api.graphql.test_large_queries import with_revisions
from tests.waiting import until

RENAME = 'mutation { createProductIntegration(input: { createUrl: "https://example.com/a" }) { userErrors { code } } }'
OAUTH = """{ outboundCredentials: { type: OAUTH2, clientId: "c", clientSecret: "a-secret-of-tests",
    tokenUri: "https://auth.example.com/token" } }"""
TRY = f"mutation {{ testProductIntegrationCredentials(input: {OAUTH}) {{ success userErrors {{ code message }} }} }}"


@asynccontextmanager
async def taken(turns: Turns, share: str, how_many: int) -> AsyncIterator[None]:
    """So many turns of a share are under way meanwhile."""
    ends = asyncio.Event()

    async def work() -> None:
        await turns.begin(share)
        await ends.wait()

    tasks = [asyncio.create_task(work()) for _ in range(how_many)]
    await until(lambda: turns.running == how_many)
    try:
        yield
    finally:
        ends.set()
        await asyncio.gather(*tasks)


async def test_changes_of_one_client_wait_for_its_own_and_for_nobody_elses(graph: Graph) -> None:
    turns = graph.api.http.app[CHANGE_TURNS]
    other = await graph.api.bearer_of_new("integrations:write")
    async with taken(turns, ADMIN_ID, CHANGES.of_one):
        mine = asyncio.create_task(graph.send(RENAME))
        await until(lambda: turns.waiting == 1)
        assert (await graph.send(RENAME, headers=other))[0] == 200
        assert (await graph.send("{ productIntegrations { id } }"))[0] == 200
        assert not mine.done()
    assert (await mine)[0] == 200
    await until(lambda: turns.running == 0)


async def test_a_change_that_waits_for_a_worker_takes_no_turn(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, answer = graph.api.http.app[CHANGE_TURNS], asyncio.Event()
    asked: list[int] = []

    async def ask(*_: object) -> CredentialsTried:
        asked.append(turns.running)
        await answer.wait()
        return CredentialsTried(True)

    monkeypatch.setattr("dispatcher.store.definitions.pings.trials.Trials.ask", ask)
    trying = [asyncio.create_task(graph.send(TRY)) for _ in range(2 * CHANGES.of_one)]
    await until(lambda: len(asked) == len(trying))
    assert turns.running == 0
    answer.set()
    assert [(await one)[0] for one in trying] == [200] * len(trying)


async def test_queries_that_read_much_take_turns_and_others_do_not(graph: Graph) -> None:
    large, own_id = graph.api.http.app[QUERY_TURNS], await with_revisions(graph, 50)
    few, many = (f'{{ productIntegration(id: "{own_id}") {{ {" ".join(_lists(n))} }} }}' for n in (1, 4))
    async with taken(large, ADMIN_ID, LARGE_QUERIES.of_one):
        waiting = asyncio.create_task(graph.send(many))
        await until(lambda: large.waiting == 1)
        assert (await graph.send(few))[0] == 200
        assert not waiting.done()
    status, body = await waiting
    assert (status, len(body["data"]["productIntegration"])) == (200, 4)
    await until(lambda: large.running == large.waiting == 0)


def _lists(how_many: int) -> list[str]:
    return [f"a{n}: revisions(last: 40) {{ id }}" for n in range(how_many)]

"""GraphQL over HTTP as generic clients speak it: media types, statuses, and queries by GET.

Each case is a rule that the audits of the npm package ``graphql-http`` ask for.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.api.graphql.conftest import Graph
from tests.browser import Visitors

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
ACCEPTED: list[tuple[str | None, str]] = [
    (None, JSON),
    ("*/*", JSON),
    (JSON, JSON),
    ("application/*", JSON),
    ("text/plain", JSON),
    (RESPONSE, RESPONSE),
    (f"{RESPONSE}; charset=utf-8, {JSON}; charset=utf-8", RESPONSE),
    (f"{JSON}, {RESPONSE}", RESPONSE),
    (f"{JSON}, {RESPONSE};q=0.9", JSON),
    (f"{JSON};q=0.5,{RESPONSE};q=0.9", RESPONSE),
    (f"{RESPONSE};q=0", JSON),
    (f"{RESPONSE};q=none", JSON),
]
WRONG: dict[str, dict[str, Any]] = {
    "syntax": {"query": "{"},
    "validity": {"query": "{ nothing }"},
    "variables": {"query": "query($id: ID!) { productIntegration(id: $id) { id } }", "variables": {"id": ["a"]}},
    "variables left out": {"query": "query($id: ID!) { productIntegration(id: $id) { id } }"},
    "operation": {"query": "query A { __typename } query B { __typename }", "operationName": "C"},
    "subscription": {"query": "subscription { a }"},
    "cost": {"query": "{ productIntegrations {" + " working { id }" * 250 + "} }"},
}

NO_REQUEST: list[Any] = [
    {},
    {"query": 1},
    {"query": "{ a }", "variables": "x"},
    {"query": "{ a }", "extensions": 0},
    [],
    "x",
]
NO_QUERY = ("", "query=", "query={a}&variables=1", "query={a}&variables={", "query={a}&more=1", "query=a&query=b")


async def test_the_media_type_is_the_one_that_was_asked_for(graph: Graph) -> None:
    for accepted, media in ACCEPTED:
        headers = {"Accept": accepted} if accepted else {}
        answer = await graph.api.ask("POST", "/graphql", json={"query": "{ __typename }"}, headers=headers)
        assert (answer.status, answer.content_type) == (200, media), accepted
        assert await answer.json(content_type=media) == {"data": {"__typename": "Query"}}
        assert answer.headers["Vary"] == "Accept"


async def test_a_request_that_is_not_executed_is_400_or_in_plain_json_200(graph: Graph) -> None:
    for name, body in WRONG.items():
        for media, status in ((RESPONSE, 400), (JSON, 200)):
            for sent in ({"json": body}, {"params": in_query(body)}):
                method = "POST" if "json" in sent else "GET"
                answer = await graph.api.ask(method, "/graphql", headers={"Accept": media}, **sent)
                told = await answer.json(content_type=media)
                assert (answer.status, answer.content_type) == (status, media), (name, method)
                assert told["errors"][0]["message"], name
                assert "data" not in told


@pytest.mark.parametrize("media", [RESPONSE, JSON])
async def test_what_is_no_graphql_request_is_400(graph: Graph, media: str) -> None:
    for body in NO_REQUEST:
        answer = await graph.api.ask("POST", "/graphql", json=body, headers={"Accept": media})
        assert answer.status == 400, body
    for query in (
        "",
        "query=",
        "query={a}&variables=1",
        "query={a}&variables={",
        "query={a}&more=1",
        "query=a&query=b",
    ):
        answer = await graph.api.ask("GET", f"/graphql?{query}", headers={"Accept": media})
        assert answer.status == 400, query


async def test_a_query_by_get_is_answered_as_one_by_post(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    text = "query One($id: ID!) { productIntegration(id: $id) { id } } query Two { __typename }"
    body = {"query": text, "variables": {"id": own_id}, "operationName": "One"}
    posted = await graph.api.ask("POST", "/graphql", json=body)
    got = await graph.api.ask("GET", "/graphql", params=in_query(body))
    assert (got.status, await got.json()) == (200, await posted.json())


async def test_a_query_by_get_needs_a_token_and_the_page_none(graph: Graph) -> None:
    assert (await graph.api.http.get("/graphql?query={__typename}")).status == 401
    assert (await graph.api.http.get("/graphql")).content_type == "text/html"
    emitter = await graph.bearer_of_new("events:write")
    assert (await graph.api.http.get("/graphql?query={__typename}", headers=emitter)).status == 403


async def test_the_reason_of_a_wrong_variable_is_told(graph: Graph) -> None:
    create = "mutation($i: CreateProductIntegrationInput!) { createProductIntegration(input: $i) { signingSecret } }"
    one = "query($id: ID!) { productIntegration(id: $id) { id } }"
    for query, variables, reason in (
        (one, {}, "to be provided"),
        (one, {"id": None}, "not to be None"),
        (one, {"id": ["S3c"]}, "ID cannot represent value"),
        (create, {"i": {"nme": "S3c"}}, "unknown field 'nme'. Did you mean 'name'?"),
        (create, {"i": "S3c"}, "to be an object"),
        (create, {"i": {"orderRequireFormFields": "S3c"}}, "Boolean cannot represent a non boolean value"),
        (create, {"i": {"name": {"x": "S3c: Expected"}}}, "String cannot represent a non string value"),
    ):
        _, body = await graph.send(query, variables=variables)
        assert reason in body["errors"][0]["message"]
        assert "S3c" not in str(body)


async def test_graphiql_works_without_internet(graph: Graph, visitors: Visitors) -> None:
    page = await visitors.page()
    outside: list[str] = []
    page.on("request", lambda asked: outside.append(asked.url) if "127.0.0.1" not in asked.url else None)
    visitors.expect("401 POST")  # it asks for the schema before anybody gave it a token
    async with page.expect_response(lambda answer: answer.status == 401):
        await page.goto(str(graph.api.http.make_url("/graphql")))
    await expect(page.get_by_role("button", name="Execute query (Ctrl-Enter)")).to_be_visible()
    assert [one for one in outside if not one.startswith(("data:", "blob:"))] == []


def in_query(body: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}

"""GraphQL over HTTP: who may, what is refused before it runs, and what that costs."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from typing import Any

import pytest
from graphql import build_schema as read_schema
from graphql import get_introspection_query

from dispatcher.api.graphql.bounds.limits import MAX_ALIASES, MAX_DEPTH
from dispatcher.api.graphql.routes import graphql_routes
from dispatcher.api.graphql.schema import build_schema
from dispatcher.errors import StoreUnavailable
from dispatcher.model.access import Scope
from tests.api.graphql.conftest import Graph

LIST = "{ productIntegrations { id } }"
CREATE = "mutation { createProductIntegration(input: {}) { productIntegration { id } userErrors { code } } }"


def nested(levels: int) -> str:
    """``working`` within ``working``, so many fields deep."""
    return "{ productIntegrations {" + "working {" * (levels - 2) + "id" + "}" * (levels - 2) + "}}"


async def test_query_without_token_is_401(graph: Graph) -> None:
    answer = await graph.api.http.post("/graphql", json={"query": LIST})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert (await answer.json())["errors"][0]["extensions"]["code"] == "missing_token"


async def test_answers_are_never_cached(graph: Graph) -> None:
    answer = await graph.api.ask("POST", "/graphql", json={"query": LIST})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_query_with_token_is_200(graph: Graph) -> None:
    assert await graph.send(LIST) == (200, {"data": {"productIntegrations": []}})


async def test_broken_syntax_is_400_with_its_place(graph: Graph) -> None:
    status, body = await graph.send("{ productIntegrations { id }")
    assert status == 400
    assert body["errors"][0]["locations"] == [{"line": 1, "column": 29}]
    assert "data" not in body


async def test_unknown_field_is_400_with_its_place(graph: Graph) -> None:
    status, body = await graph.send("{ productIntegrations { id wrong } }")
    assert (status, body["errors"][0]["locations"]) == (400, [{"line": 1, "column": 28}])


async def test_wrong_variable_is_400(graph: Graph) -> None:
    query = "query One($id: ID!) { productIntegration(id: $id) { id } }"
    for variables in ({}, {"id": None}, {"id": ["a", "b"]}, {"id": {"a": 1}}):
        status, body = await graph.send(query, variables=variables)
        assert (status, "errors" in body) == (400, True), variables


async def test_operation_is_chosen_by_name(graph: Graph) -> None:
    two = "query A { productIntegrations { id } } query B { product(id: 1) { id } }"
    assert await graph.send(two, operationName="B") == (200, {"data": {"product": None}})
    for name in (None, "C"):
        status, body = await graph.send(two, operationName=name)
        assert status == 400, body


async def test_subscriptions_are_said_to_be_elsewhere(graph: Graph) -> None:
    status, body = await graph.send("subscription { productIntegrations { id } }")
    assert (status, body["errors"][0]["extensions"]["code"]) == (400, "unknown_operation")


async def test_reader_may_query_but_not_change(graph: Graph) -> None:
    reader = await graph.bearer_of_new(Scope.INTEGRATIONS_READ)
    assert (await graph.send(LIST, headers=reader))[0] == 200
    status, body = await graph.send(CREATE, headers=reader)
    assert (status, body["errors"][0]["extensions"]["code"]) == (403, "insufficient_scope")
    both = f"query A {LIST} {CREATE.replace('mutation', 'mutation B')}"
    assert (await graph.send(both, headers=reader, operationName="A"))[0] == 200
    assert (await graph.send(both, headers=reader, operationName="B"))[0] == 403
    assert await graph.data(LIST) == []


async def test_developer_may_change_and_others_may_not_even_read(graph: Graph) -> None:
    developer = await graph.bearer_of_new(Scope.ROLE_DEVELOPER)
    assert (await graph.send(CREATE, headers=developer))[0] == 200
    emitter = await graph.bearer_of_new(Scope.EVENTS_WRITE)
    assert (await graph.send(LIST, headers=emitter))[0] == 403


async def test_client_of_one_account_cannot_change_what_all_accounts_share(graph: Graph) -> None:
    bound = await graph.bearer_of_new(Scope.INTEGRATIONS_WRITE, account_id="A-1")
    assert (await graph.send(LIST, headers=bound))[0] == 200
    status, body = await graph.send(CREATE, headers=bound)
    assert (status, body["errors"][0]["extensions"]["code"]) == (403, "account_restricted")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "not_an_object"),
        (b"{}", 400, "required"),
        (b'{"query": 1}', 400, "wrong_type"),
        (b'{"query": ""}', 400, "required"),
        (b'{"query": "{ a }", "variables": []}', 400, "wrong_type"),
        (b'{"query": "{ a }", "operationName": 1}', 400, "wrong_type"),
        (b'{"query": "{ a }", "more": 1}', 400, "unknown_field"),
        (b'{"query": "{ a }", "query": "{ b }"}', 400, "duplicate_key"),
        (b'{"query": "{ a }", "variables": {"x": "\\ud800"}}', 422, "invalid_string"),
    ],
)
async def test_body_is_read_strictly(graph: Graph, body: bytes, status: int, code: str) -> None:
    answer = await graph.api.ask("POST", "/graphql", data=body, headers={"Content-Type": "application/json"})
    told = await answer.json()
    assert (answer.status, told["errors"][0]["extensions"]["code"]) == (status, code)


async def test_other_media_types_are_415(graph: Graph) -> None:
    answer = await graph.api.ask("POST", "/graphql", data=b"{}", headers={"Content-Type": "application/graphql"})
    assert answer.status == 415


async def test_depth_of_15_is_served_and_16_is_not(graph: Graph) -> None:
    assert (await graph.send(nested(MAX_DEPTH)))[0] == 200
    status, body = await graph.send(nested(MAX_DEPTH + 1))
    assert status == 400
    assert "depth" in body["errors"][0]["message"]


def bomb(levels: int) -> str:
    """Fragments of fragments: twice the fields at each level."""
    parts = [f"fragment f{n} on ProductIntegration {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels)]
    last = f"fragment f{levels} on ProductIntegration {{ id name }}"
    return "query { productIntegrations { ...f0 } } " + " ".join(parts) + last


EXPENSIVE: dict[str, str] = {
    "long": "{ a } #" + "x" * 40_000,
    "tokens": "{" + " id" * 3_000 + "}",
    "aliases": "{" + "".join(f"a{n}: productIntegrations {{ id }} " for n in range(MAX_ALIASES + 1)) + "}",
    "brackets": "{ a" * 5_000,
    "lists": "{ a(b: " + "[" * 10_000,
    "fragments": bomb(40),
    "cycle": "query { productIntegrations { ...a } } fragment a on ProductIntegration { working { ...a } }",
    "revisions of revisions": "{ productIntegrations { revisions { revisions { id } } } }",
    "composites": "{ productIntegrations {" + " working { id }" * 250 + "} }",
    "roots": "{" + " product(id: 1) { id }" * 21 + "}",
    "string": '{ a(b: "' + "\\" * 20_000,
}


@pytest.mark.parametrize("name", EXPENSIVE)
async def test_expensive_query_is_refused_before_it_costs_anything(graph: Graph, name: str) -> None:
    started = time.process_time()
    status, body = await graph.send(EXPENSIVE[name])
    assert status == 400, body
    assert time.process_time() - started < 5.0
    assert len(str(body)) < 10_000


async def test_wide_mutation_is_refused(graph: Graph) -> None:
    many = "mutation {" + " ".join(f"a{n}: {CREATE[10:-1]}" for n in range(21)) + "}"
    status, body = await graph.send(many)
    assert status == 400, body
    assert await graph.data(LIST) == []


async def test_tools_can_introspect(graph: Graph) -> None:
    status, body = await graph.send(get_introspection_query())
    assert status == 200, body
    names = {kind["name"] for kind in body["data"]["__schema"]["types"]}
    assert {"ProductIntegration", "UserError", "Long"} <= names


async def test_introspection_can_be_switched_off() -> None:
    result = await build_schema(introspection=False).execute("{ __schema { types { name } } }")
    assert result.errors
    assert [(route.method, route.path) for route in graphql_routes(introspection=False)] == [("POST", "/graphql")]


async def test_schema_is_served_as_text_with_a_description_of_every_operation(graph: Graph) -> None:
    answer = await graph.api.http.get("/graphql/schema")
    schema = read_schema(await answer.text())
    for root in (schema.query_type, schema.mutation_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if not field.description] == []
    assert answer.content_type == "text/plain"


async def test_page_is_graphiql_and_loads_from_this_server_only(graph: Graph) -> None:
    answer = await graph.api.http.get("/graphql", headers={"Accept": "text/html"})
    page = await answer.text()
    policy = answer.headers["Content-Security-Policy"]
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert policy.startswith("default-src 'none'")
    assert "connect-src 'self'" in policy
    assert "//" not in policy
    loaded = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page)
    assert len(loaded) == 4
    for address in loaded:
        plain = await graph.api.http.get(address, headers={"Accept-Encoding": "identity"})
        packed = await graph.api.http.get(address, headers={"Accept-Encoding": "gzip, br"})
        assert (plain.status, "immutable" in plain.headers["Cache-Control"]) == (200, True)
        assert (packed.headers["Content-Encoding"], await packed.read()) == ("gzip", await plain.read())
    assert (await graph.api.http.get("/graphql/page/..%2fpage.py")).status == 404
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashed = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline]
    assert [f"'sha256-{one}'" in policy for one in hashed] == [True]
    assert "shouldPersistHeaders: false" in inline[0]


async def test_page_without_graphiql_shows_the_schema_and_where_to_get_it(graph: Graph) -> None:
    page = await (await graph.api.http.get("/graphql")).text()
    assert "createProductIntegration" in page
    assert 'href="/graphql/schema"' in page


async def test_store_outage_is_503_and_names_nothing_inside(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("redis://secret-host")

    monkeypatch.setattr(graph.api.services.definitions, "integrations", away)
    answer = await graph.api.ask("POST", "/graphql", json={"query": LIST})
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert "secret-host" not in await answer.text()


async def test_error_of_ours_is_masked(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("inner workings")

    monkeypatch.setattr(graph.api.services.definitions, "product", broken)
    status, body = await graph.send('{ product(id: "P") { id } productIntegrations { id } }')
    assert status == 200
    assert body["data"] == {"product": None, "productIntegrations": []}
    assert body["errors"][0]["extensions"]["code"] == "internal_error"
    assert "inner workings" not in str(body)


async def test_mutation_by_get_is_not_possible(graph: Graph) -> None:
    answer = await graph.api.ask("GET", "/graphql", params={"query": CREATE})
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert await graph.data(LIST) == []


async def test_refused_variables_are_not_repeated(graph: Graph) -> None:
    """Symptom: the message held the whole input object, client secret included, and clients log such messages."""
    query = "mutation($i: CreateProductIntegrationInput!) { createProductIntegration(input: $i) { signingSecret } }"
    for wrong in ({"clientSecret": "S3cre1!", "zz": 1}, {"clientSecret": {"x": "S3cre1!"}}, "S3cre1!", ["S3cre1!"]):
        status, answer = await graph.send(query, variables={"i": {"outboundCredentials": wrong}})
        assert status == 400
        assert "S3cre1!" not in str(answer)
        assert "cannot represent a non string" in str(answer) or "Expected value of type" in str(answer)


async def test_a_moved_token_endpoint_needs_the_secret_again(graph: Graph) -> None:
    credentials = 'type: OAUTH2 clientId: "c" clientSecret: "S3cre1!" tokenUri: "https://auth.example.com/token"'
    identity = (await graph.created(f"outboundCredentials: {{ {credentials} }}"))["id"]
    for secret, refused in (('clientSecret: "******"', True), ("", True), ('clientSecret: "given again"', False)):
        moved = f'{secret} tokenUri: "https://elsewhere.example.com/token"'
        changed = f'id: "{identity}" outboundCredentials: {{ {moved} }}'
        payload = await graph.change("updateProductIntegration", changed)
        assert bool(payload["userErrors"]) is refused

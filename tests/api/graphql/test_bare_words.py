"""Words for a choice that the schema has as text are taken quoted or bare, as those of enumerations are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api

SHOWN = "{ productIntegration { orderFormFields { type } } userErrors { code path } }"
MUTATION = f"mutation ($input: CreateProductIntegrationInput!) {{ createProductIntegration(input: $input) {SHOWN} }}"


async def made(api: Api, query: str, variables: dict[str, Any] | None = None) -> Any:
    body = await api.json("POST", "/graphql", 200, json={"query": query, "variables": variables or {}})
    return body["data"]["createProductIntegration"]


def inline(kind: str) -> str:
    field = f'{{name: "subdomain", label: "Subdomain", type: {kind}, required: true}}'
    given = f'input: {{name: "N", orderFormFields: [{field}]}}'
    return f"mutation {{ createProductIntegration({given}) {SHOWN} }}"


@pytest.mark.parametrize("kind", ["TEXT", '"TEXT"', "text", '"text"', "null"])
async def test_the_kind_of_an_answer_is_taken_quoted_or_bare(api: Api, kind: str) -> None:
    found = await made(api, inline(kind))
    assert (found["userErrors"], found["productIntegration"]["orderFormFields"]) == ([], [{"type": "TEXT"}])


async def test_the_kind_of_an_answer_is_taken_in_a_variable(api: Api) -> None:
    form = [{"name": "subdomain", "type": "URL"}]
    found = await made(api, MUTATION, {"input": {"name": "N", "orderFormFields": form}})
    assert found["productIntegration"]["orderFormFields"] == [{"type": "URL"}]


async def test_a_word_for_no_kind_of_answer_is_refused_as_ever(api: Api) -> None:
    for kind in ("NOPE", '"NOPE"'):
        assert (await made(api, inline(kind)))["userErrors"][0]["path"][-1] == "type"
    body = await api.json("POST", "/graphql", 200, json={"query": inline("3")})
    assert "no kind of answer" in body["errors"][0]["message"]

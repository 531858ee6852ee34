"""Edits and tests of an integration whose secrets are kept: none goes where it was not saved for."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.ping import CredentialsTried
from dispatcher.store.definitions.pings.trials import Trial
from tests.api.graphql.conftest import Graph

HOST, EVIL = "https://shop.example.com/in", "https://evil.example.com/in"
PROXY = "http://evil.example.com:3128"
OAUTH2 = {
    "type": "OAUTH2",
    "clientId": "c",
    "clientSecret": "S3cre1!",
    "tokenUri": "https://login.example.com/token",
}
BASIC = {"type": "BASIC", "clientId": "c", "clientSecret": "S3cre1!"}
HEADERS = [{"name": "X-Key", "value": "h1dden", "secret": True}]
CREATE = (
    "mutation($input: CreateProductIntegrationInput!) { createProductIntegration(input: $input) "
    "{ productIntegration { id } userErrors { code message path } } }"
)
UPDATE = (
    "mutation($input: UpdateProductIntegrationInput!) { updateProductIntegration(input: $input) "
    "{ productIntegration { id } userErrors { code message path } } }"
)


async def made(graph: Graph, **fields: Any) -> str:
    payload = await graph.data(CREATE, input={"createUrl": HOST} | fields)
    assert payload["userErrors"] == [], payload
    return str(payload["productIntegration"]["id"])


async def update(graph: Graph, own_id: str, **fields: Any) -> list[dict[str, Any]]:
    payload = await graph.data(UPDATE, input={"id": own_id} | fields)
    return [{"code": one["code"], "path": one["path"][1:]} for one in payload["userErrors"]]


REFUSED = {"code": "required", "path": ["outboundCredentials", "clientSecret"]}

EDITS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"outboundCredentials": BASIC}, {"createUrl": EVIL}, REFUSED),
    ({"outboundCredentials": BASIC}, {"userUpdatedUrl": EVIL}, REFUSED),
    ({"outboundCredentials": BASIC}, {"createUrl": HOST.replace("https", "http")}, REFUSED),
    ({"outboundCredentials": OAUTH2}, {"createUrl": EVIL}, REFUSED),
    ({"outboundCredentials": OAUTH2}, {"outboundCredentials": {"type": "BASIC"}}, REFUSED),
    ({"outboundCredentials": OAUTH2}, {"outboundCredentials": {"authMethod": "client_secret_post"}}, REFUSED),
    ({"outboundCredentials": OAUTH2}, {"outboundCredentials": {"clientSecret": "******", "tokenUri": EVIL}}, REFUSED),
    ({"outboundCredentials": OAUTH2}, {"transport": {"proxyUrl": PROXY}}, REFUSED),
    ({"headers": HEADERS}, {"createUrl": EVIL}, {"code": "required", "path": ["headers", "0", "value"]}),
    (
        {"headers": HEADERS},
        {"createUrl": EVIL, "headers": [{"name": "X-New", "value": "1"}, {"name": "x-key", "value": "******"}]},
        {"code": "required", "path": ["headers", "1", "value"]},
    ),
    (
        {"transport": {"proxyUrl": "http://proxy.example.com:3128", "proxyUsername": "u", "proxyPassword": "p4ss"}},
        {"transport": {"proxyUrl": PROXY}},
        {"code": "required", "path": ["transport", "proxyPassword"]},
    ),
]


@pytest.mark.parametrize(("fields", "change", "refused"), EDITS)
async def test_an_edit_that_moves_a_secret_is_refused_and_names_it(
    graph: Graph, fields: dict[str, Any], change: dict[str, Any], refused: dict[str, Any]
) -> None:
    own_id = await made(graph, **fields)
    before = await graph.api.services.definitions.needed(own_id)
    assert await update(graph, own_id, **change) == [refused]
    assert await graph.api.services.definitions.needed(own_id) == before


async def test_the_secret_given_again_goes_where_the_same_edit_says(graph: Graph) -> None:
    own_id = await made(graph, outboundCredentials=BASIC, headers=HEADERS)
    again = {"outboundCredentials": {"clientSecret": "another"}, "headers": [HEADERS[0] | {"value": "another"}]}
    assert len(await update(graph, own_id, createUrl=EVIL)) == 2
    assert await update(graph, own_id, createUrl=EVIL, **again) == []
    assert len(await update(graph, own_id, createUrl=HOST)) == 2


async def test_an_edit_may_drop_the_secret_that_it_would_move(graph: Graph) -> None:
    own_id = await made(graph, outboundCredentials=BASIC, headers=HEADERS)
    assert await update(graph, own_id, createUrl=EVIL, outboundCredentials=None, headers=[]) == []
    shown = await graph.shown(own_id, "createUrl outboundCredentials { type clientSecret } headers { name }")
    assert shown == {"createUrl": EVIL, "outboundCredentials": {"type": "NONE", "clientSecret": None}, "headers": []}


async def test_two_steps_come_to_no_more_than_one(graph: Graph) -> None:
    own_id = await made(graph, outboundCredentials=BASIC, headers=HEADERS)
    assert await update(graph, own_id, createUrl=None) == []
    assert len(await update(graph, own_id, createUrl=EVIL)) == 2
    assert await update(graph, own_id, createUrl=HOST + "/deeper", notifyUrl=HOST) == []
    assert await update(graph, own_id, outboundCredentials={"type": "NONE"}) == []
    assert await update(graph, own_id, createUrl=EVIL, headers=[]) == []
    assert await update(graph, own_id, outboundCredentials={"type": "BASIC"}) == [REFUSED]


async def test_secrets_without_a_url_yet_are_given_again_with_the_first_one(graph: Graph) -> None:
    own_id = await made(graph, createUrl=None, headers=HEADERS)
    assert [one["path"] for one in await update(graph, own_id, createUrl=HOST)] == [["headers", "0", "value"]]
    assert await update(graph, own_id, createUrl=HOST, headers=HEADERS) == []


async def test_what_a_publish_keeps_is_bound_as_before(graph: Graph) -> None:
    own_id = await made(graph, outboundCredentials=BASIC)
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    revision = await graph.api.services.definitions.revision(own_id, 1)
    assert revision is not None
    assert set(revision.places["outboundCredentials.clientSecret"]) == {
        "the host https://shop.example.com",
        "the hosts themselves",
    }
    assert await update(graph, own_id, createUrl=EVIL) == [REFUSED]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"transport": {"proxyUrl": PROXY}}, "outboundCredentials.clientSecret"),
        ({"outboundCredentials": {"tokenUri": EVIL}}, "outboundCredentials.clientSecret"),
        ({"outboundCredentials": {"authMethod": "client_secret_post"}}, "outboundCredentials.clientSecret"),
    ],
)
async def test_trying_credentials_out_takes_a_saved_secret_nowhere_else(
    graph: Graph, change: dict[str, Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test with another proxy brought ``Authorization: Basic …`` to it."""
    asked: list[Trial] = []

    async def ask(_self: object, trial: Trial, _wait_s: float) -> CredentialsTried:
        asked.append(trial)
        return CredentialsTried(True)

    monkeypatch.setattr("dispatcher.store.definitions.pings.trials.Trials.ask", ask)
    own_id = await made(graph, outboundCredentials=OAUTH2)
    given = {"outboundCredentials": {}} | change
    payload = await graph.data(
        "mutation($input: TestProductIntegrationCredentialsInput!) { testProductIntegrationCredentials(input: $input) "
        "{ userErrors { code path } } }",
        input={"id": own_id} | given,
    )
    assert [(one["code"], ".".join(one["path"][1:])) for one in payload["userErrors"]] == [("required", path)]
    assert asked == []

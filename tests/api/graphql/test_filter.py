"""Filters as publishers save them."""

from __future__ import annotations

from tests.api.graphql.conftest import Graph

CREATE, UPDATE = "createProductIntegration", "updateProductIntegration"


async def test_a_filter_is_saved_and_shown(graph: Graph) -> None:
    own_id = (await graph.created('filter: {type: "SUBSCRIPTION_ORDER"}'))["id"]
    assert (await graph.shown(own_id, "filter"))["filter"] == {"type": "SUBSCRIPTION_ORDER"}
    await graph.change(UPDATE, f'id: "{own_id}", filter: null')
    assert (await graph.shown(own_id, "filter"))["filter"] is None


async def test_a_faulty_filter_is_a_user_error_for_each_fault_and_saves_nothing(graph: Graph) -> None:
    own_id = (await graph.created('filter: {flag: "DEVELOPMENT"}'))["id"]
    faulty = 'filter: {type: "create", kind: 1}'
    for name, fields in ((CREATE, faulty), (UPDATE, f'id: "{own_id}", name: "x", {faulty}')):
        errors = (await graph.change(name, fields))["userErrors"]
        assert [(one["code"], one["path"]) for one in errors] == [
            ("invalid_value", ["input", "filter", "type"]),
            ("unknown_field", ["input", "filter", "kind"]),
        ]
    assert (await graph.shown(own_id, "filter"))["filter"] == {"flag": "DEVELOPMENT"}


async def test_an_operator_that_does_not_exist_names_those_that_do(graph: Graph) -> None:
    query = f"mutation($f: JSON) {{ {CREATE}(input: {{ filter: $f }}) {{ userErrors {{ code path message }} }} }}"
    (error,) = (await graph.data(query, f={"payload.x": {"$regex": ".*"}}))["userErrors"]
    assert (error["code"], error["path"]) == ("unknown_operator", ["input", "filter", "payload", "x"])
    assert "'$regex'" in error["message"]
    assert "$gte" in error["message"]

"""Queries and variables that are made to be slow to refuse: what they cost does not grow with what is wrong in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from dispatcher.api.graphql.bounds.few_errors import MAX_ERRORS
from dispatcher.api.graphql.bounds.limits import MAX_SAME_FIELD, check_text
from dispatcher.api.graphql.schema import build_schema
from tests.linear import BETWEEN, growth

SCHEMA = build_schema()
CREATE = "mutation($i: CreateProductIntegrationInput!) {createProductIntegration(input: $i) {userErrors {code}}}"


def one(selection: str) -> str:
    return f'{{productIntegration(id: "x") {{{selection}}}}}'


def run(query: str, variables: dict[str, Any] | None = None) -> ExecutionResult:
    result = asyncio.run(SCHEMA.execute(query, variable_values=variables))
    assert isinstance(result, ExecutionResult)
    return result


def errors(query: str, variables: dict[str, Any] | None = None) -> list[str]:
    return [error.message for error in run(query, variables).errors or []]


MANY_WRONG: dict[str, Callable[[int], str]] = {
    "fields": lambda size: one(" ".join(f"signingSecrets{n}" for n in range(size))),
    "arguments": lambda size: f"{{productIntegrations({' '.join(f'vendo{n}: 1' for n in range(size))}) {{id}}}}",
    "input fields": lambda size: (
        "mutation {createProductIntegration(input: {"
        + " ".join(f"outboundCredentia{n}: 1" for n in range(size))
        + "}) {userErrors {code}}}"
    ),
    "types": lambda size: (
        f"query({' '.join(f'$a{n}: UpdateProductIntegrationInp' for n in range(size))}) {{a: __typename}}"
    ),
    "directives": lambda size: one("id " + "@includ(if: true) " * (size // 2)),
}


@pytest.mark.parametrize("name", MANY_WRONG)
def test_only_the_first_few_of_many_errors_look_for_what_is_meant(name: str) -> None:
    """Hundreds of unknown names took 0.4 s, for each of them was compared with every name there is."""
    many = MANY_WRONG[name]
    assert len(errors(many(250))) == MAX_ERRORS + 1
    assert errors(many(250))[-1] == f"There is more wrong than these {MAX_ERRORS}."
    assert growth(run, many, 30) < BETWEEN


@pytest.mark.parametrize(
    "wrong", [{f"outboundCredentia{n}": 1 for n in range(5000)}, {"headers": [{"nam": "x"} for _ in range(5000)]}]
)
def test_only_the_first_few_errors_of_variables_look_for_what_is_meant(wrong: dict[str, Any]) -> None:
    assert len(errors(CREATE, {"i": wrong})) == MAX_ERRORS + 1


def test_a_few_errors_are_all_told_with_what_may_be_meant() -> None:
    told = errors(one("signingSecret1 workin idd"))
    assert len(told) == 3
    assert all("Did you mean" in text for text in told)


@pytest.mark.parametrize(
    "selection",
    [
        " ".join(["id"] * (MAX_SAME_FIELD + 1)),
        " ".join(["working {createUrl}"] * (MAX_SAME_FIELD + 1)),
        " ".join(["... on ProductIntegration {id}"] * (MAX_SAME_FIELD + 1)),
        " ".join(["working {createUrl createUrl}"] * (MAX_SAME_FIELD // 2 + 1)),
        " ".join(f"a: {name}" for name in ["id"] * (MAX_SAME_FIELD + 1)),
    ],
)
def test_a_field_that_is_asked_for_again_and_again_is_refused_before_each_is_compared_with_each(selection: str) -> None:
    (told,) = errors(one(selection))
    assert f"more than {MAX_SAME_FIELD} times" in told


def test_fragments_count_for_a_field_as_often_as_they_add_it() -> None:
    fragments = "".join(f" fragment f{n} on ProductIntegration {{id ...f{n + 1}}}" for n in range(MAX_SAME_FIELD))
    last = f" fragment f{MAX_SAME_FIELD} on ProductIntegration {{id}}"
    (told,) = errors(one("...f0 ...f0") + fragments + last)
    assert "more than" in told
    same = "fragment f on ProductIntegration {id} "
    assert "more than" not in "".join(errors(same + one("...f " * 100)))


def test_fragments_within_themselves_are_left_to_validation() -> None:
    cycle = "fragment f on ProductIntegration {id ...f} "
    deep = "fragment g on Revision {a: __typename ...g} "
    assert any("within itself" in text for text in errors(cycle + one("...f")))
    assert any("within itself" in text for text in errors(deep + one("working {...g} published: working {...g}")))


@pytest.mark.parametrize("unit", ['"\\', '\\"', '"', '"""', '\\"""', '"\n', "#", '{"', '"""\\'])
def test_text_that_opens_strings_without_end_is_measured_in_linear_time(unit: str) -> None:
    """A request of 64 KB made of quotes and backslashes stopped the API for 3.4 s."""
    assert growth(check_text, lambda size: unit * (size // len(unit)), 4000) < BETWEEN


def test_brackets_within_strings_and_comments_do_not_count() -> None:
    check_text('{a(b: "' + "{" * 100 + '", c: """' + "[" * 100 + '""") #' + "(" * 100 + "\n}")

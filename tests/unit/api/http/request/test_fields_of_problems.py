"""The field of a problem is where the request is wrong, never a name that the validator has for itself."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.api.http.request.validation import validated
from dispatcher.api.rest.events.accepting.models import EventIn
from dispatcher.api.rest.events.asked.models import FilterIn
from dispatcher.api.rest.jobs.models import RedeliveriesIn
from dispatcher.errors import Unprocessable

WRONG: list[tuple[Any, Any, list[str]]] = [
    (FilterIn, {"status": 5}, ["status"]),
    (FilterIn, {"status": ["DEAD", 5]}, ["status.1"]),
    (FilterIn, {"status": [5, None]}, ["status.0", "status.1"]),
    (FilterIn, {"from": []}, ["from"]),
    (EventIn, {"type": 1, "productId": "x" * 300}, ["type", "productId"]),
    (EventIn, {"type": "create"}, ["productId"]),
    (EventIn, [], [""]),
    (RedeliveriesIn, {"filter": {"status": 5}}, ["filter.status"]),
    (RedeliveriesIn, {"filter": {"type": [True]}}, ["filter.type.0"]),
]


@pytest.mark.parametrize(("model", "given", "fields"), WRONG)
def test_internal_names_never_reach_a_field(model: Any, given: Any, fields: list[str]) -> None:
    with pytest.raises(Unprocessable) as refused:
        validated(model, given)
    assert [problem.field or "" for problem in refused.value.problems] == fields


MISSPELT: list[tuple[Any, Any, str, str]] = [
    (EventIn, {"type": "create", "productId": "P", "acountId": "A"}, "acountId", "did you mean accountId?"),
    (EventIn, {"type": "create", "productId": "P", "ACCOUNT_ID": "A"}, "ACCOUNT_ID", "did you mean accountId?"),
    (RedeliveriesIn, {"filter": {"statsu": "DEAD"}}, "filter.statsu", "did you mean status?"),
    (RedeliveriesIn, {"filter": {}, "dryrun": True}, "dryrun", "did you mean dryRun?"),
    (RedeliveriesIn, {"filter": {"colour": "red"}}, "filter.colour", "check its name or leave it out."),
    (RedeliveriesIn, {"filter": {}, "dryRun" * 50: True}, "dryRun" * 50, "check its name or leave it out."),
]


@pytest.mark.parametrize(("model", "given", "field", "hint"), MISSPELT)
def test_an_unknown_field_names_the_one_that_was_meant(model: Any, given: Any, field: str, hint: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        validated(model, given)
    [problem] = refused.value.problems
    assert (problem.code, problem.field) == ("unknown_field", field)
    assert problem.message == f"There is no such field; {hint}"

"""The field of a problem is where the request is wrong, never a name that the validator has for itself."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.api.http.validation import validated
from dispatcher.api.rest.models import EventIn, FilterIn
from dispatcher.api.rest.redelivery_models import RedeliveriesIn
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

"""The short check of an event's fields says what ``EventIn`` says, of anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.api.http.request.validation import validated
from dispatcher.api.rest.events.accepting import emissions
from dispatcher.api.rest.events.accepting.emissions import emission_of
from dispatcher.api.rest.events.accepting.models import EventIn
from dispatcher.errors import RequestError
from dispatcher.flow.events.making.emit import Emission

WHOLE: dict[str, Any] = {
    "type": "SUBSCRIPTION_CHANGE",
    "productId": "P",
    "accountId": "Zoë 7",
    "subscriptionId": None,
    "creator": {},
    "payload": {"account": {"status": "ACTIVE"}},
}
NAMES = [field.alias or name for name, field in EventIn.model_fields.items()]
VALUES: st.SearchStrategy[Any] = (
    st.text(max_size=6)
    | st.sampled_from(["x" * 255, "x" * 256, "\x00", "a\x1fb", "\x7f", "\x80", "\x9f", "\xa0", "\xad", "\n", "\u2028"])
    | st.sampled_from([None, True, 0, 1.5, [], {}, {"a": 1}, "", "DEVELOPMENT", "\ud800", "\U0010ffff"])
)
BODIES = st.dictionaries(st.sampled_from([*NAMES, "product_id", "else"]), VALUES).map(lambda some: WHOLE | some)


def said(make: Any, body: Any) -> Any:
    try:
        return make(body)
    except RequestError as error:
        return error.problems


def long_way(body: Any) -> Emission:
    asked = validated(EventIn, body)
    return Emission(**{name: getattr(asked, name) for name in Emission._fields})


@given(BODIES | st.dictionaries(st.sampled_from(NAMES), VALUES) | VALUES)
@example(WHOLE | {"payload": 1})
def test_both_ways_take_and_refuse_the_same_with_the_same_words(body: Any) -> None:
    assert said(emission_of, body) == said(long_way, body)


def test_an_ordinary_body_is_not_looked_at_by_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr(emissions, "validated", lambda _, body: looked_at.append(body))
    assert emission_of(WHOLE) == Emission("SUBSCRIPTION_CHANGE", "P", "Zoë 7", None, None, {}, WHOLE["payload"])
    assert looked_at == []

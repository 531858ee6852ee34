"""Declared integrations: what is left out has its default, and what was exported changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.flow.integrations.fields.kind import MASK
from dispatcher.flow.publishing.declared import GIVEN, completed, differences, reduced, secrets_in

URLS = st.sampled_from([None, "https://host.example/a", "https://host.example/b"])
DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from(["Acme", "Brick"])},
    optional={
        "createUrl": URLS,
        "answers": st.sampled_from([None, "auto", "ack"]),
        "retrySchedule": st.sampled_from([None, [], [1, 2.5]]),
        "validatePayloads": st.booleans(),
        "outboundCredentials": st.sampled_from(
            [None, {"type": "BASIC", "clientId": "me", "clientSecret": MASK}, {"type": "NONE"}]
        ),
        "headers": st.lists(st.fixed_dictionaries({"name": st.just("X-A"), "value": st.just("1")}), max_size=1),
        "orderFormFields": st.sampled_from([[], [{"name": "domain"}], [{"name": "seats", "type": "NUMBER"}]]),
    },
)


@settings(max_examples=60)
@given(DOCUMENTS)
def test_what_is_exported_says_all_of_it(document: dict[str, Any]) -> None:
    whole = completed(document)
    assert completed(reduced(whole)) == whole
    assert differences(whole, whole) == []


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS)
def test_differences_are_empty_only_between_equals(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = completed(one), completed(other)
    changed = {difference.path.partition(".")[0] for difference in differences(after, before)}
    said = {name for name in before if (before[name] or None) != (after[name] or None)}
    assert changed == said


def test_a_field_that_is_left_out_is_reset_and_named() -> None:
    shown = completed({"name": "Acme", "concurrency": 3, "outboundCredentials": {"type": "BASIC", "clientId": "me"}})
    (credentials, client, concurrency) = differences(completed({"name": "Acme"}), shown)
    assert (credentials.path, credentials.before) == ("outboundCredentials.type", "BASIC")
    assert (client.path, client.before, client.after) == ("outboundCredentials.clientId", "me", None)
    assert (concurrency.path, concurrency.before, concurrency.after) == ("concurrency", 3, None)


def test_a_new_secret_is_a_difference_that_does_not_show_it() -> None:
    kept = {"name": "Acme", "outboundCredentials": {"type": "BASIC", "clientId": "me", "clientSecret": MASK}}
    given_ = kept | {"outboundCredentials": kept["outboundCredentials"] | {"clientSecret": "s3cret"}}  # type: ignore[operator]
    (one,) = differences(completed(given_), completed(kept))
    assert (one.path, one.before, one.after) == ("outboundCredentials.clientSecret", MASK, GIVEN)
    assert [path for path, _, _ in secrets_in(given_)] == ["outboundCredentials.clientSecret"]

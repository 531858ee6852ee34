"""GET /asyncapi.json: what is sent, as AsyncAPI 3. Its structure is that of the specification; its schemas hold.

``npx @asyncapi/cli validate`` and the JSON Schema of ``@asyncapi/specs`` judge the whole document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from dispatcher.catalogue.asyncapi import asyncapi_document
from dispatcher.catalogue.samples import sample_payload
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import build_body
from tests.api.conftest import Api

DOCUMENT = asyncapi_document("Test", "0.1.0")
OTHER_BODIES = {EventType.OPERATIONAL, EventType.MARKETPLACE_CALLBACK}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


async def test_the_document_is_public_and_that_of_the_catalogue(api: Api) -> None:
    answer = await api.http.get("/asyncapi.json")
    assert (answer.status, answer.content_type) == (200, "application/json")
    served = await answer.json()
    assert {**served, "info": None} == {**json.loads(json.dumps(DOCUMENT)), "info": None}


def test_it_has_the_parts_that_asyncapi_3_asks_for_and_no_others() -> None:
    assert set(DOCUMENT) == {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert DOCUMENT["asyncapi"] == "3.0.0"
    for name, operation in DOCUMENT["operations"].items():
        assert set(operation) == {"action", "channel", "messages", "reply", "bindings"}, name
        assert operation["action"] == "send"
        channel = operation["channel"]["$ref"]
        assert all(one["$ref"].startswith(f"{channel}/messages/") for one in operation["messages"])
    for channel in DOCUMENT["channels"].values():
        assert channel["address"] is None
        assert channel["messages"]


def test_every_type_is_sent_to_its_channel() -> None:
    sent = {
        (one["$ref"].rpartition("/")[2], operation["channel"]["$ref"].rpartition("/")[2])
        for operation in DOCUMENT["operations"].values()
        for one in operation["messages"]
    }
    assert sent == {(kind.value, rule.url_field) for kind, rule in TYPE_RULES.items()}


def test_every_reference_leads_somewhere_within_the_document() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        assert reference.startswith("#/")
        assert resolved(reference) is not None


@pytest.mark.parametrize("kind", [kind for kind in EventType if kind not in OTHER_BODIES])
def test_what_is_sent_fits_its_message(kind: EventType) -> None:
    event = Event("e-1", kind, "lane", 1, "shop", "A", payload=sample_payload(kind))
    state = EventState(Status.QUEUED, 1_800_000_000_000, 1)
    body = build_body(event, state, base_url="https://market.test", partner="ACME", account_identifier="206123")
    message = DOCUMENT["components"]["messages"][kind.value]
    schema = {"components": DOCUMENT["components"], **message["payload"]}
    jsonschema_rs.validator_for(schema).validate(json.loads(body))

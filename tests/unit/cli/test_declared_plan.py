"""Plans of `integrations apply`: which integration an entry is about, and what only the server can compare."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.cli.publishing.declared_file import Declared
from dispatcher.cli.publishing.plan import Present, matched, planned
from dispatcher.errors import ConfigurationError
from dispatcher.flow.integrations.fields.kind import MASK
from dispatcher.flow.publishing.declared import completed

BASIC = {"type": "BASIC", "clientId": "me", "clientSecret": MASK}


def shown(name: str, connector_id: str, **fields: Any) -> dict[str, Any]:
    mine = {"id": f"id-{connector_id}", "connectorId": connector_id, "linkedProducts": [], "lastModified": 1}
    return completed({"name": name, **fields}) | mine


def present(*integrations: dict[str, Any]) -> Present:
    return Present(list(integrations), {one["id"]: one for one in integrations}, {}, [], [])


def declared(*entries: dict[str, Any]) -> Declared:
    return {"integrations": list(entries), "products": [], "marketplaces": [], "connectorTemplates": []}


def titles(entries: Declared, there: Present) -> list[str]:
    return [f"{step.sign} {step.title}" for step in planned(entries, there, prune=False)]


def test_integrations_of_one_name_are_told_apart_by_their_connector_ids() -> None:
    there = present(shown("Acme", "aaa"), shown("Acme", "bbb"))
    entries = declared({"name": "Acme", "connectorId": "aaa"}, {"name": "Acme", "connectorId": "bbb", "concurrency": 3})
    assert titles(entries, there) == ["~ integration Acme bbb"]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{"name": "Acme"}], "2 integrations are named 'Acme'"),
        ([{"name": "Acme", "connectorId": "aaa"}, {"name": "Acme"}], "and none is no such"),
        ([{"name": "Acme", "connectorId": "aaa"}, {"name": "Acme", "connectorId": "new"}], "and new is no such"),
        ([{"name": "Acme", "connectorId": "aaa"}, {"name": "Other", "connectorId": "aaa"}], "the same integration"),
        ([{"connectorId": "aaa"}], "has a name"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_in_words(entries: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        matched(entries, [shown("Acme", "aaa"), shown("Acme", "bbb")])


def test_a_name_that_only_one_has_finds_it_without_its_connector_id() -> None:
    there = shown("Acme", "aaa")
    entry = {"name": "Acme", "connectorId": "of another deployment"}
    assert matched([entry], [there]) == [(entry, there)]


class Definitions:
    """A server that says when something was modified."""

    def __init__(self, modified: int) -> None:
        self.modified = modified
        self.published = 0

    @property
    def definitions(self) -> Definitions:
        return self

    async def change(self, _: str, __: object) -> Any:
        return {"definition": {"lastModified": self.modified}}

    async def publish(self, _: str) -> Any:
        self.published += 1
        return {}


@pytest.mark.parametrize(("modified", "published"), [(1, 0), (2, 1)])
async def test_a_secret_is_published_only_if_it_is_another_one(
    monkeypatch: pytest.MonkeyPatch, modified: int, published: int
) -> None:
    monkeypatch.setenv("ACME", "s3cret")
    credentials = BASIC | {"clientSecret": {"secret": "ACME"}}
    entries = declared({"name": "Acme", "published": True, "outboundCredentials": credentials})
    steps = planned(entries, present(shown("Acme", "aaa", outboundCredentials=BASIC)), prune=False)
    assert [step.sign for step in steps] == ["~", ">"]
    server: Any = Definitions(modified)
    for step in steps:
        await step.act(server)
    assert server.published == published

"""The table of integration fields agrees with the model, with GraphQL, with what is sealed, and with itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from dispatcher.api.graphql.schema import build_schema as build_ours
from dispatcher.errors import Unprocessable
from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.fields.host_rows import CREDENTIALS, TRANSPORT
from dispatcher.flow.integrations.fields.kind import MASK, Kind
from dispatcher.flow.integrations.fields.records import Affects, Field, Record, Records, read
from dispatcher.flow.integrations.fields.table import INTEGRATION, affected
from dispatcher.flow.integrations.fields.values import Choice, Number, Secret, Texts
from dispatcher.model.integration import Integration, OpenIdConnect, Revision
from dispatcher.policy.differences import differences
from dispatcher.store.definitions.records import write_integration
from dispatcher.store.definitions.sealed import CREDENTIAL_FIELDS, TRANSPORT_FIELDS
from dispatcher.store.secrets.sealing import Sealer, new_key
from tests.flow.definition_desk import URL, url_rule

BLANK = Integration("6d3f2c1a-0000-4000-8000-000000000001", 1, "0" * 24, "Shop", 0, 0)
NOT_PUBLISHERS: dict[str, set[str]] = {
    "Integration": {
        *("id", "app_market_id", "connector_id", "created_ms", "modified_ms", "type", "published_revision"),
        *("linked_products", "signing_secrets", "inbound_client", "signing_rotation", "account_bound"),
    },
    "InstallStep": {"completed", "connection_id", "unknown"},
    "Revision": {"number", "created_ms", "created_by", "places"},
}
"""Attributes that no publisher sets as a field: made here, or with mutations of their own."""
SCALARS = {
    "a text": {"String", "ID"},
    "a number": {"Float"},
    "a whole number": {"Int"},
    "a list of numbers": {"Float"},
    "a list of texts": {"String"},
    "true or false": {"Boolean"},
}
"""GraphQL's types by what a kind takes."""
SECRETS = {"clientSecret": "S3cre1!", "privateKey": "k3y", "proxyPassword": "p4ss", "value": "h3ader"}


@pytest.fixture(scope="module")
def sdl() -> GraphQLSchema:
    return build_schema(build_ours().as_str())


def editor() -> Editor:
    return Editor(Sealer([new_key()]), url_rule)


def rows(record: Record | Records = INTEGRATION, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every row with its dotted name, those within records included."""
    for row in record.fields:
        yield f"{prefix}{row.name}", row
        if isinstance(row.kind, Record | Records):
            yield from rows(row.kind, f"{prefix}{row.name}.")


def refused(changes: dict[str, Any]) -> list[tuple[str, str | None]]:
    with pytest.raises(Unprocessable) as error:
        editor().apply(BLANK, changes)
    return [(problem.code, problem.field) for problem in error.value.problems]


def at(name: str, value: Any) -> dict[str, Any]:
    """The change of one field, wherever it lies."""
    first, _, rest = name.partition(".")
    if not rest:
        return {first: value}
    inner = at(rest, value)
    kind = next(row.kind for row in INTEGRATION.fields if row.name == first)
    return {first: [{kind.fields[0].name: "X-A"} | inner] if isinstance(kind, Records) else inner}


def path(name: str) -> str:
    """Dotted attributes of a field, wherever it lies."""
    first, _, rest = name.partition(".")
    return f"{ROWS[first].attribute}.{ROWS[name].attribute}" if rest else ROWS[first].attribute


ROWS = dict(rows())
SECRET_FIELDS = [name for name, row in ROWS.items() if isinstance(row.kind, Secret)]
GIVEN = {name: row for name, row in ROWS.items() if row.given and ROWS[name.partition(".")[0]].given}


@pytest.mark.parametrize("name", GIVEN)
def test_null_makes_every_field_what_a_new_integration_has(name: str) -> None:
    parent = name.rpartition(".")[0]
    holder = ROWS[parent].kind if parent else None
    if isinstance(holder, Records):
        assert ROWS[name].attribute in {one.name for one in dataclasses.fields(holder.make)}
    else:
        assert INTEGRATION.merged(BLANK, at(name, None), editor().vault(BLANK)) == BLANK


def test_every_attribute_of_the_model_has_a_row_or_is_not_the_publishers() -> None:
    top = {row.attribute.split(".")[0] for row in INTEGRATION.fields}
    assert {one.name for one in dataclasses.fields(Integration)} == top | NOT_PUBLISHERS["Integration"]
    working = {row.attribute.split(".")[1] for row in INTEGRATION.fields if row.attribute.startswith("working.")}
    assert {one.name for one in dataclasses.fields(Revision)} == working | NOT_PUBLISHERS["Revision"]
    for row in ROWS.values():
        if isinstance(row.kind, Record | Records):
            inner = {one.attribute for one in row.kind.fields}
            others = NOT_PUBLISHERS.get(row.kind.make.__name__, set())
            assert inner | others == {one.name for one in dataclasses.fields(row.kind.make)}, row.name


def test_graphql_takes_every_field_that_is_given_and_no_other(sdl: GraphQLSchema) -> None:
    def walk(record: Record | Records, shape: Any, own: set[str]) -> None:
        assert isinstance(shape, GraphQLInputObjectType)
        assert {row.name for row in record.fields if row.given} == set(shape.fields) - own, shape
        for row in record.fields:
            if row.given:
                _same_type(row.kind, get_named_type(shape.fields[row.name].type), walk)

    walk(INTEGRATION, sdl.type_map["CreateProductIntegrationInput"], set())
    walk(INTEGRATION, sdl.type_map["UpdateProductIntegrationInput"], {"id", "expectedLastModified"})


def test_graphql_shows_every_field(sdl: GraphQLSchema) -> None:
    def walk(record: Record | Records, shape: Any, own: set[str] | None) -> None:
        assert isinstance(shape, GraphQLObjectType)
        names = {row.name for row in record.fields}
        assert names <= set(shape.fields) if own is None else names == set(shape.fields), shape
        for row in record.fields:
            _same_type(row.kind, get_named_type(shape.fields[row.name].type), walk)

    walk(INTEGRATION, sdl.type_map["ProductIntegration"], None)


def _same_type(kind: Kind, shape: Any, walk: Any) -> None:
    if isinstance(kind, Record | Records):
        walk(kind, shape, set())
    elif isinstance(kind, Choice) and not kind.or_empty:
        assert {name.lower() for name in shape.values} == {value.lower() for value in kind.values}
    elif kind.takes in SCALARS:
        assert shape.name in SCALARS[kind.takes] or (isinstance(kind, Texts) and isinstance(shape, GraphQLEnumType))


def test_what_the_table_seals_is_what_the_store_seals_again() -> None:
    def sealed(record: Record) -> dict[str, str]:
        secret = [row for row in record.fields if isinstance(row.kind, Secret)]
        return {row.attribute: row.kind.context("id") for row in secret if isinstance(row.kind, Secret)}

    assert sealed(CREDENTIALS) == {name: context("id") for name, context in CREDENTIAL_FIELDS.items()}
    assert sealed(TRANSPORT) == {name: context("id") for name, context in TRANSPORT_FIELDS.items()}
    assert len(SECRET_FIELDS) == len(CREDENTIAL_FIELDS) + len(TRANSPORT_FIELDS)


@pytest.mark.parametrize("name", [*SECRET_FIELDS, "headers.value"])
def test_a_secret_is_shown_masked_and_hashed_where_changes_are_noted(name: str) -> None:
    secret = SECRETS[name.rpartition(".")[2]]
    changes = at(name, secret)
    if name == "headers.value":
        changes["headers"][0]["secret"] = True
    after = INTEGRATION.merged(BLANK, changes, editor().vault(BLANK))
    working = dataclasses.replace(after.working.transport, proxy_url="http://proxy")
    shown = INTEGRATION.shown(dataclasses.replace(after, working=dataclasses.replace(after.working, transport=working)))
    assert secret not in repr(after)
    assert secret not in repr(shown)
    assert MASK in repr(shown)
    noted = differences(orjson.loads(write_integration(BLANK)), orjson.loads(write_integration(after)))[1]
    assert secret not in repr(noted)
    assert any("sha256:" in repr(value) for value in noted.values())


@pytest.mark.parametrize("name", [name for name, row in GIVEN.items() if isinstance(row.kind, Number)])
def test_numbers_are_taken_up_to_their_bounds_and_refused_beyond(name: str) -> None:
    kind = ROWS[name].kind
    assert isinstance(kind, Number)
    for bound, beyond in ((kind.least, kind.least - 1), (kind.most, kind.most + 1)):
        value = int(bound) if kind.whole else bound
        assert read(editor().apply(BLANK, at(name, value)), path(name)) == value
        assert refused(at(name, int(beyond) if kind.whole else beyond)) == [("out_of_range", name)]


@pytest.mark.parametrize("name", GIVEN)
def test_a_value_of_another_type_is_refused_by_name(name: str) -> None:
    field = name.replace(".", ".0.", 1) if isinstance(ROWS[name.partition(".")[0]].kind, Records) else name
    assert ("wrong_type", field) in refused(at(name, object()))


@pytest.mark.parametrize(
    "changes", [{"colour": 1}, {"transport": {"colour": 1}}, {"headers": [{"name": "a", "colour": 1}]}]
)
def test_a_field_that_does_not_exist_is_refused_by_name(changes: dict[str, Any]) -> None:
    ((code, field),) = refused(changes)
    assert (code, str(field).rpartition(".")[2]) == ("unknown_field", "colour")


def test_what_is_shown_can_be_given_back_and_changes_nothing() -> None:
    """An import takes all that an export holds: secrets stay, because a mask keeps them."""
    desk = editor()
    before = desk.apply(
        BLANK,
        {
            "createUrl": URL,
            "outboundCredentials": {"type": "OAUTH2", "clientId": "c", "clientSecret": "s", "tokenUri": URL},
            "transport": {"proxyUrl": "http://me:secret@proxy.example.com:3128"},
            "headers": [{"name": "X-Key", "value": "v", "secret": True}, {"name": "X-Plain", "value": "p"}],
            "retrySchedule": [1, 2.5],
            "filter": {"flag": "X"},
            "orderFormFields": [{"name": "size", "required": True}],
            "answers": "ack",
            "concurrency": 3,
            "vendorId": "V-1",
        },
    )
    given = {row.name for row in INTEGRATION.fields if row.given}
    shown = {name: value for name, value in INTEGRATION.shown(before).items() if name in given}
    for facts in ("clientCertificates", "certificateAuthorities"):
        shown["transport"].pop(facts)
    assert desk.apply(before, shown) == before


def test_null_keeps_a_list_or_a_switch_of_open_id_connect() -> None:
    record = next(row.kind for row in INTEGRATION.fields if row.name == "openIdConnectConfiguration")
    before = OpenIdConnect(
        grant_types=("IMPLICIT",), redirect_urls=("https://a",), allow_oidc_scope=True, logout_url="x"
    )
    nothing: dict[str, Any] = {row.name: None for row in record.fields} if isinstance(record, Record) else {}
    after = record.merged(before, nothing, editor().vault(BLANK))
    assert after == dataclasses.replace(before, logout_url=None)


def test_a_change_says_which_part_of_the_product_it_touches() -> None:
    assert affected({"requestTimeout": 1.0}) == {Affects.DELIVERY}
    assert affected({"probeIntervalMinutes": None, "name": "n"}) == {Affects.PINGS, Affects.LISTING}
    assert affected({}) == frozenset()

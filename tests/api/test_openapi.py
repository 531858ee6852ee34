"""The document and the page: whole, valid, and true to the route table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from dispatcher.api.documents.openapi import as_text, build_document
from dispatcher.api.table import api_routes
from dispatcher.model.access import Scope
from tests.api.conftest import Api


def document() -> dict[str, Any]:
    return build_document(api_routes(), "https://dispatcher.example")


def test_document_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_every_route_is_described() -> None:
    described = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in api_routes()}


def test_every_reference_leads_somewhere() -> None:
    text = as_text(document())
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names <= set(document()["components"]["schemas"])
    assert {"EventIn", "EventOut", "ErrorsOut"} <= names
    assert [name for name in document()["components"]["schemas"] if "__" in name] == []


def test_operations_are_named_once_and_say_what_they_need() -> None:
    operations = [op for methods in document()["paths"].values() for op in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    known = {scope.value for scope in Scope}
    asked = {scope for op in operations for entry in op.get("security", []) for scope in entry.get("oauth2", ())}
    assert asked <= known


async def test_document_is_served(api: Api) -> None:
    answer = await api.http.get("/openapi.json")
    assert answer.status == 200
    assert await answer.json() == document()


class Page(HTMLParser):
    """Notes what a page loads and shows."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [f"{tag}:{value}" for name, value in attrs if name in ("src", "href") and value]
        if tag in ("script", "link", "img", "iframe"):
            self.loaded.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_page_shows_every_operation_and_loads_nothing(api: Api) -> None:
    answer = await api.http.get("/docs")
    assert answer.status == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Page()
    page.feed(await answer.text())
    assert page.loaded == ["a:/openapi.json"]
    for path in document()["paths"]:
        assert path in page.text


PLAIN = {"string", "integer", "number", "boolean"}


def operations() -> list[dict[str, Any]]:
    return [operation for item in document()["paths"].values() for operation in item.values()]


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    for model, schema in document()["components"]["schemas"].items():
        for name, held in schema.get("properties", {}).items():
            yield f"{model}.{name}", held


def test_every_property_and_parameter_is_described() -> None:
    assert [name for name, held in properties() if not held.get("description")] == []
    given = [one for operation in operations() for one in operation.get("parameters", ())]
    assert [one["name"] for one in given if not one.get("description")] == []


def test_every_plain_property_has_an_example_that_its_schema_takes() -> None:
    schemas = document()["components"]
    for name, held in properties():
        is_plain = PLAIN.intersection(str(one.get("type")) for one in held.get("anyOf", [held]))
        assert bool(held.get("examples")) or not is_plain, name
        for one in held.get("examples", ()):
            Draft202012Validator({**held, "components": schemas}).validate(one)


def test_every_operation_says_who_may_and_what_each_answer_means() -> None:
    for operation in operations():
        assert operation["description"]
        assert isinstance(operation["security"], list)
        assert not re.search(r"V1|V10|[0-9]", operation["operationId"].replace("Oauth2", "")), operation["operationId"]
        for status, answer in operation["responses"].items():
            assert answer["description"]
            assert "X-Request-Id" in answer["headers"], status
        if operation["security"] and {} not in operation["security"]:
            assert {"401", "403", "429", "503"} <= operation["responses"].keys()


def test_examples_of_bodies_and_answers_are_what_their_schemas_say() -> None:
    schemas = document()["components"]
    for operation in operations():
        for held in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in held.get("content", {}).values():
                if "example" in media:
                    Draft202012Validator({**media["schema"], "components": schemas}).validate(media["example"])


def test_the_example_of_a_pause_has_one_end() -> None:
    """Symptom: it had both ``for`` and ``until``, which are refused together."""
    bodies = [one["requestBody"]["content"]["application/json"] for one in operations() if "PauseIn" in str(one)]
    assert [body["example"] for body in bodies] == [{"reason": "deploy", "for": "2h"}] * 3


def test_fields_that_exclude_each_other_do_so_in_the_document() -> None:
    """Symptom: the document allowed ``for`` beside ``until``, which the server refuses."""
    uris = {"authorizeUri": "https://a.example", "tokenUri": "https://t.example", "clientId": "shop"}
    assert taken("PauseIn", {"for": "2h", "until": None})
    assert taken("PauseIn", {"until": 1_900_000_000_000})
    assert not taken("PauseIn", {"for": "2h", "until": 1_900_000_000_000})
    assert taken("TemplateIn", {"name": "a", "authType": "OAUTH2", **uris})
    assert taken("TemplateIn", {"name": "a", "authType": "Basic", "tokenUri": None})
    assert not taken("TemplateIn", {"name": "a", "authType": "Basic", **uris})
    assert not taken("TemplateIn", {"name": "a", "authType": "OAUTH2"})


def taken(model: str, given: dict[str, Any]) -> bool:
    schemas = document()["components"]
    return Draft202012Validator({**schemas["schemas"][model], "components": schemas}).is_valid(given)


def test_forms_take_each_field_once_and_one_way_to_authenticate() -> None:
    form = document()["paths"]["/oauth/token"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    held, plain = Draft202012Validator(form["schema"]), {"grant_type": "client_credentials"}
    assert held.is_valid(plain | {"unknown": "ignored"})
    assert not held.is_valid(plain | {"unknown": ["a", "b"]})
    assert not held.is_valid(plain | {"client_assertion": "a.b.c"})


async def test_the_server_takes_the_examples_of_bodies(api: Api) -> None:
    """Left over is what the state of the deployment does not allow: an example names nothing of it."""
    for path, item in document()["paths"].items():
        body = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "{" in path or "example" not in body:
            continue
        answer = await api.ask("POST", path, json=body["example"])
        text = await answer.text()
        assert answer.status in (*range(200, 300), 404) or "product_not_linked" in text, f"{path}: {text}"


def test_no_schema_is_odd_for_generators_of_clients() -> None:
    def look(held: Any, place: str) -> None:
        if isinstance(held, list):
            for n, one in enumerate(held):
                look(one, f"{place}.{n}")
        if not isinstance(held, dict):
            return
        if isinstance(held.get("enum"), list):
            assert "type" in held, place
        assert held.get("default", "") is not None, place
        assert "(?" not in str(held.get("pattern", "")).replace("(?:", ""), f"{place}: not of ECMA-262"
        inline = [one for one in held.get("anyOf", ()) if "enum" in one or "enum" in one.get("items", ())]
        assert len(inline) < 2, f"{place}: Go names both types alike"
        for name, one in held.items():
            look(one, f"{place}.{name}")

    look(document()["components"]["schemas"], "schemas")
    look(document()["paths"], "paths")

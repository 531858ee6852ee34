"""The document and the page: whole, valid, and true to the route table."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

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


def test_operations_are_named_once_and_say_what_they_need() -> None:
    operations = [op for methods in document()["paths"].values() for op in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    known = {scope.value for scope in Scope}
    asked = {scope for op in operations for entry in op.get("security", []) for scope in entry["oauth2"]}
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

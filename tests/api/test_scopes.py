"""The route table walked: no token, a wrong scope, the right one."""

from __future__ import annotations

import re

import pytest

from dispatcher.api.http.route import Route
from dispatcher.api.table import api_routes
from dispatcher.model.access import Scope, effective
from tests.api.conftest import Api

ROUTES = api_routes()
PROTECTED = [route for route in ROUTES if route.scopes is not None]
PUBLIC = {
    ("POST", "/oauth2/token"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth2/revoke"),
    ("POST", "/oauth2/introspect"),
    ("GET", "/oauth2/jwks"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/webhook-keys/{integrationId}"),
    ("GET", "/launch/products/{productId}"),
    ("GET", "/healthz"),
    ("HEAD", "/healthz"),
    ("GET", "/readyz"),
    ("HEAD", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/asyncapi.json"),
    ("GET", "/docs"),
    ("GET", "/graphql"),
    ("GET", "/graphql/schema"),
    ("GET", "/graphql/page/{file}"),
}


def path_of(route: Route) -> str:
    return re.sub(r"{\w+}", "x", route.path)


def test_only_these_routes_are_public() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.scopes is None} == PUBLIC


def test_no_route_is_in_the_table_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


async def test_bi32_every_protected_route_asks_for_a_token(api: Api) -> None:
    for route in PROTECTED:
        answer = await api.http.request(route.method, path_of(route))
        body = await answer.json()
        assert answer.status == 401, route.path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), route.path
        assert body.get("errors") or body["Errors"], route.path


async def test_bi34_a_token_without_the_scope_is_refused_and_told_which_it_needs(api: Api) -> None:
    for route in PROTECTED:
        assert route.scopes is not None
        others = [s.value for s in Scope if not effective(frozenset({s.value})) & set(route.scopes)]
        headers = await api.bearer_of_new(*others)
        answer = await api.http.request(route.method, path_of(route), headers=headers)
        body = await answer.json()
        assert answer.status == 403, route.path
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"], route.path
        assert "insufficient_scope" in str(body), route.path


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: f"{route.method} {route.path}")
async def test_each_of_its_scopes_opens_a_route(api: Api, route: Route) -> None:
    if route.path == "/v1/events/stream":
        return
    assert route.scopes is not None
    for scope in route.scopes:
        headers = await api.bearer_of_new(scope.value)
        answer = await api.http.request(route.method, path_of(route), headers=headers)
        assert answer.status not in (401, 403, 405), (scope, await answer.text())
        assert answer.status < 500, await answer.text()

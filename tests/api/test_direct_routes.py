"""The short cut to fixed paths answers as the general way does."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from dispatcher.api.http.aiohttp_inside.direct_routes import direct
from tests.api.conftest import PRODUCT, Api


@pytest.mark.parametrize("target", ["/healthz", "/healthz?", "/healthz?x=1", "/%68ealthz"])
async def test_every_way_to_write_a_fixed_path_is_answered(api: Api, target: str) -> None:
    answer = await api.http.get(URL(target, encoded=True))
    assert answer.status == 200
    assert answer.headers["X-Request-Id"]


async def test_a_method_that_a_fixed_path_does_not_take_is_refused_with_those_that_it_takes(api: Api) -> None:
    answer = await api.ask("DELETE", "/v1/events")
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]
    assert (await answer.json())["errors"][0]["code"] == "method_not_allowed"


async def test_a_caller_that_waits_for_leave_to_send_its_body_gets_it(api: Api) -> None:
    body = {"type": "create", "productId": PRODUCT}
    answer = await api.ask("POST", "/v1/events", json=body, expect100=True)
    assert answer.status == 202


async def test_only_paths_without_a_parameter_and_without_a_query_are_led_directly() -> None:
    taken: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        taken.append(request.match_info.get("id", "fixed"))
        return web.Response()

    async def general(request: web.BaseRequest) -> web.Response:
        taken.append("general")
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/events", handler)
    app.router.add_post("/v1/events/{id}", handler)
    lead = direct(app, general)
    for method, path in (
        ("POST", "/v1/events"),
        ("POST", "/v1/events?wait=1"),
        ("POST", "/v1/events/{id}"),
        ("GET", "/v1/events"),
    ):
        await lead(make_mocked_request(method, path))
    assert taken == ["fixed", "general", "general", "general"]

"""Results that are reported later: repeated until the dispatcher has them, and not beyond."""

from __future__ import annotations

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from dispatcher.client import ApiError, Unreachable, transport
from dispatcher.receiver import ErrorCode, refused, results, succeeded
from dispatcher.receiver.results import Results
from tests.ports import free_port


class Dispatcher:
    """Gives tokens, and answers results with ``statuses`` one after another; 0 = hangs up."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.reported: list[tuple[str, object]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/oauth2/token", self.token)
        app.router.add_post("/api/integration/v1/events/{id}/result", self.result)
        return app

    async def token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "expires_in": 600})

    async def result(self, request: web.Request) -> web.Response:
        self.reported.append((request.match_info["id"], await request.json()))
        status = self.statuses.pop(0)
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"errors": [{"code": "c", "message": "No.", "field": None}]}, status=status or 200)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "REPEAT_AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(results, "PAUSES_S", (0.0,))


@pytest.mark.parametrize("statuses", [(200,), (500, 0, 503, 429, 200), (0, 409), (401, 200)])
async def test_a_result_is_reported_until_the_dispatcher_has_it(
    statuses: tuple[int, ...], aiohttp_server: AiohttpServer
) -> None:
    dispatcher = Dispatcher(*statuses)
    server = await aiohttp_server(dispatcher.app())
    async with Results(str(server.make_url("/")), "c", "s") as reports:
        await reports.report("e/1", succeeded("a"))
    assert dispatcher.statuses == []
    assert dispatcher.reported == [("e/1", {"success": True, "accountIdentifier": "a"})] * len(statuses)


@pytest.mark.parametrize("status", [409, 403, 404])
async def test_what_the_dispatcher_refuses_is_raised_at_once(status: int, aiohttp_server: AiohttpServer) -> None:
    server = await aiohttp_server(Dispatcher(status).app())
    async with Results(str(server.make_url("/")), "c", "s") as reports:
        with pytest.raises(ApiError, match="No"):
            await reports.report("e-1", refused(ErrorCode.NOT_FOUND))


async def test_it_gives_up_in_the_end() -> None:
    async with Results(f"http://127.0.0.1:{free_port()}", "c", "s") as reports:
        with pytest.raises(Unreachable):
            await reports.report("e-1", succeeded(), give_up_after_s=-1)
    with pytest.raises(RuntimeError, match="async with"):
        await Results("http://127.0.0.1:1", "c", "s").report("e-1", succeeded())

"""The client against a server that behaves badly on request: what is repeated, what is not, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dispatcher.client import ApiError, Client, Unreachable, following, transport
from dispatcher.client.server_sent import Message, messages

Handler = Callable[[web.Request], web.StreamResponse]


class Api:
    """Answers each path with what is planned for it, one by one, the last one for ever."""

    def __init__(self) -> None:
        self.plans: dict[str, list[Handler]] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.tokens = 0
        self.stream: list[list[str]] = []
        self.server = TestServer(self._app())

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def plan(self, path: str, *answers: Handler) -> None:
        self.plans[path] = list(answers)

    def asked(self, path: str) -> list[tuple[str, str, dict[str, str], Any]]:
        return [request for request in self.requests if request[1].partition("?")[0] == path]

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_get("/v1/events/stream", self._stream)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        self.tokens += 1
        self.requests.append((request.method, "/oauth2/token", dict(request.headers), None))
        return web.json_response({"access_token": f"t{self.tokens}", "token_type": "Bearer", "expires_in": 600})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path_qs, dict(request.headers), body))
        planned = self.plans[request.path]
        return (planned.pop(0) if len(planned) > 1 else planned[0])(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), None))
        if not self.stream:
            return refused(403, "gone")(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in self.stream.pop(0):
            await response.write(line.encode())
        return response


def given(document: Any, status: int = 200) -> Handler:
    return lambda _: web.json_response(document, status=status)


def refused(status: int, code: str, **headers: str) -> Handler:
    body = {"errors": [{"code": code, "message": "No.", "field": "type"}], "requestId": "r"}
    return lambda _: web.json_response(body, status=status, headers=headers | {"X-Request-Id": "r"})


def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "REPEAT_AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(following, "PAUSES_S", (0.0,))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    await api.server.start_server()
    yield api
    await api.server.close()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with Client(api.url + "/", "me:1", "s p/c") as client:
        yield client


async def test_calls_at_the_same_time_share_one_token_request(api: Api, client: Client) -> None:
    api.plan("/v1/events/e", given({"id": "e"}))
    await asyncio.gather(*(client.event("e") for _ in range(5)))
    assert api.tokens == 1
    ((_, _, headers, _),) = api.asked("/oauth2/token")
    assert headers["Authorization"] == "Basic bWUlM0ExOnMlMjBwJTJGYw=="
    assert {request[2]["Authorization"] for request in api.asked("/v1/events/e")} == {"Bearer t1"}


async def test_refused_token_is_replaced_once(api: Api, client: Client) -> None:
    api.plan("/v1/events/e", refused(401, "invalid_token"), given({"id": "e"}))
    assert (await client.event("e"))["id"] == "e"
    assert api.tokens == 2
    api.plan("/v1/events/e", refused(401, "invalid_token"))
    with pytest.raises(ApiError) as caught:
        await client.event("e")
    assert caught.value.status == 401
    assert api.tokens == 3


@pytest.mark.parametrize("failure", [refused(503, "unknown_outcome"), refused(429, "slow"), refused(502, "x"), cut])
async def test_emit_is_repeated_with_the_same_idempotency_key(api: Api, client: Client, failure: Handler) -> None:
    api.plan("/v1/events", failure, failure, given({"id": "e"}, 202))
    assert (await client.emit({"type": "create"}))["id"] == "e"
    keys = [request[2]["Idempotency-Key"] for request in api.asked("/v1/events")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_repeats_end(api: Api, client: Client) -> None:
    api.plan("/v1/events", refused(503, "unknown_outcome"))
    with pytest.raises(ApiError, match="No"):
        await client.emit({"type": "create"}, "key-1")
    assert len(api.asked("/v1/events")) == 3
    api.plan("/v1/events", cut)
    with pytest.raises(Unreachable, match="hung up"):
        await client.emit({"type": "create"})


@pytest.mark.parametrize("failure", [refused(503, "unknown_outcome"), cut])
async def test_what_may_not_be_done_twice_is_sent_once(api: Api, client: Client, failure: Handler) -> None:
    for path in ("/v1/events/e/redeliver", "/v1/events/e/resolve", "/v1/redeliveries", "/graphql"):
        api.plan(path, failure)
    for call in (
        client.redeliver("e"),
        client.resolve("e"),
        client.jobs.start({"status": "DEAD"}),
        client.graphql("mutation { x }"),
    ):
        with pytest.raises((ApiError, Unreachable)):
            await call
    sent = [request[1] for request in api.requests if request[1] != "/oauth2/token"]
    assert len(sent) == len(set(sent)) == 4


async def test_refusal_carries_status_problems_and_request_id(api: Api, client: Client) -> None:
    api.plan("/v1/events", refused(422, "unknown_type"))
    with pytest.raises(ApiError) as caught:
        await client.emit({"type": "x"})
    assert (caught.value.status, caught.value.request_id) == (422, "r")
    assert [(p.code, p.message, p.field) for p in caught.value.problems] == [("unknown_type", "No.", "type")]
    assert len(api.asked("/v1/events")) == 1


async def test_answer_of_something_that_is_no_dispatcher_is_an_error_without_problems(api: Api, client: Client) -> None:
    api.plan("/v1/events/e", lambda _: web.Response(status=404, text="<html>"))
    with pytest.raises(ApiError, match="answered 404"):
        await client.event("e")


async def test_graphql_errors_are_raised(api: Api, client: Client) -> None:
    api.plan("/graphql", given({"data": None, "errors": [{"message": "Bad.", "extensions": {"code": "c"}}]}))
    with pytest.raises(ApiError, match="Bad"):
        await client.graphql("{ x }")


async def test_pages_are_followed_up_to_the_limit(api: Api, client: Client) -> None:
    page = given({"data": [{"id": "1"}, {"id": "2"}], "nextCursor": "c"})
    api.plan("/v1/events", page, given({"data": [{"id": "3"}], "nextCursor": None}))
    assert [event["id"] async for event in client.events({"status": "DEAD"})] == ["1", "2", "3"]
    first, second = (request[1] for request in api.asked("/v1/events"))
    assert first == "/v1/events?status=DEAD&limit=200"
    assert second == "/v1/events?status=DEAD&limit=200&cursor=c"
    api.plan("/v1/events", page)
    assert len([event async for event in client.events({}, limit=4)]) == 4
    assert api.asked("/v1/events")[-1][1] == "/v1/events?limit=2&cursor=c"


async def test_ids_cannot_leave_their_place_in_the_path(api: Api, client: Client) -> None:
    api.plan("/v1/events/../clients?x", given({"id": "e"}))
    await client.event("../clients?x")
    assert api.requests[-1][1] == "/v1/events/..%2Fclients%3Fx"


async def test_nobody_there_is_told_in_words() -> None:
    async with Client("http://127.0.0.1:1", "a", "b") as client:
        with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 cannot be reached: connection refused"):
            await client.event("e")
        with pytest.raises(Unreachable):
            _ = [change async for change in client.changes({}, print)]


def change(number: int) -> str:
    return f'id: {number}\nevent: status\ndata: {{"eventId": "{number}", "status": "DEAD"}}\n\n'


async def test_stream_goes_on_after_a_lost_connection_where_it_was(api: Api, client: Client) -> None:
    api.stream = [[change(1), change(2), "id: 3\ndata: {cut"], [": ping\n\n", change(3)]]
    told: list[str] = []
    seen: dict[str, str] = {}

    async def follow() -> None:
        async for one in client.changes({"status": "DEAD"}, told.append):
            seen[one["eventId"]] = one["status"]

    with pytest.raises(ApiError, match="No"):
        await follow()
    assert list(seen) == ["1", "2", "3"]
    positions = [request[2].get("Last-Event-ID") for request in api.asked("/v1/events/stream")]
    assert positions == [None, "2", "3"]
    assert [text.split()[0] for text in told] == ["connection", "connected", "connection"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data: a\n\n", [Message("", "message", "a")]),
        ("id: 1\nevent: x\ndata:a\ndata: b\n\n", [Message("1", "x", "a\nb")]),
        ("id: 1\ndata: a\n\ndata: b\r\n\r\n", [Message("1", "message", "a"), Message("1", "message", "b")]),
        (": comment\n\nretry: 5\n\nid\n\n", []),
        ("data: cut off\n", []),
        ("id: a\0b\ndata: x\n\n", [Message("", "message", "x")]),
    ],
)
async def test_messages_are_read_as_the_standard_says(text: str, found: list[Message]) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for line in text.encode().splitlines(keepends=True):
            yield line

    assert [message async for message in messages(lines())] == found

"""Receivers behind aiohttp, ASGI and WSGI: each over the interface that servers call, aiohttp and WSGI over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.validate import validator

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from dispatcher.receiver import Answer, Event, Receiver, SubscriptionOrder, Verifier, busy, succeeded
from dispatcher.receiver.for_aiohttp import EVENT, notifications, verified
from dispatcher.receiver.for_asgi import AsgiReceiver, Message
from dispatcher.receiver.for_wsgi import WsgiReceiver
from tests.receiver.signed import NOW_S, SECRET, notification, signed

ORDER = notification("SUBSCRIPTION_ORDER")
CANCEL = notification("SUBSCRIPTION_CANCEL")


@pytest.fixture
def receiver() -> Receiver:
    made = Receiver(Verifier(SECRET), clock=lambda: NOW_S)

    @made.on(SubscriptionOrder)
    async def order(event: SubscriptionOrder) -> Answer:
        await asyncio.sleep(0)
        return succeeded(f"account of {event.account_id}")

    made.on(Event)(lambda _: busy(7))
    return made


async def test_aiohttp_answers_as_the_receiver_does(receiver: Receiver, aiohttp_client: AiohttpClient) -> None:
    app = web.Application()
    app.router.add_post("/hook", notifications(receiver))
    client = await aiohttp_client(app)
    answer = await client.post("/hook", data=ORDER, headers=signed(ORDER))
    assert await answer.json() == {"success": True, "accountIdentifier": "account of acme"}
    answer = await client.post("/hook", data=CANCEL, headers=signed(CANCEL, msg_id="e-2"))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    assert (await client.post("/hook", data=ORDER)).status == 401


async def test_aiohttp_middleware_hands_the_event_to_a_handler(aiohttp_client: AiohttpClient) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response([request[EVENT].type, await request.json() == request[EVENT].document])

    app = web.Application(middlewares=[verified(Verifier(SECRET, tolerance_s=float("inf")))])
    app.router.add_post("/hook", handle)
    client = await aiohttp_client(app)
    answer = await client.post("/hook", data=ORDER, headers=signed(ORDER))
    assert await answer.json() == ["SUBSCRIPTION_ORDER", True]
    assert (await client.post("/hook", data=ORDER, headers=signed(CANCEL))).status == 401
    assert (await client.post("/hook", data=b"[]", headers=signed(b"[]"))).status == 400


async def asgi(app: AsgiReceiver, scope: Message, *received: Message) -> list[Message]:
    """Everything that the application sends to a server that hands it this."""
    waiting, sent = list(received), list[Message]()

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def http(headers: dict[str, str], method: str = "POST") -> Message:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": "/", "headers": pairs}


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_asgi_answers_a_body_that_comes_in_parts(receiver: Receiver) -> None:
    parts = (part(ORDER[:9], more=True), part(ORDER[9:], more=True), part(b""))
    start, body = await asgi(AsgiReceiver(receiver), http(signed(ORDER)), *parts)
    assert (start["status"], body["body"]) == (200, b'{"success":true,"accountIdentifier":"account of acme"}')
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    start, _ = await asgi(AsgiReceiver(receiver), http(signed(CANCEL, msg_id="e-2")), part(CANCEL))
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"7")


async def test_asgi_refuses_other_methods_and_long_bodies_and_says_nothing_to_who_has_gone(receiver: Receiver) -> None:
    app = AsgiReceiver(receiver, max_body_bytes=10)
    assert [one.get("status") for one in await asgi(app, http({}, "GET"), part(b""))] == [405, None]
    assert [one.get("status") for one in await asgi(app, http({}), part(b"12345678901", more=True))] == [413, None]
    assert await asgi(app, http({}), part(b"1", more=True), {"type": "http.disconnect"}) == []


async def test_asgi_may_be_the_whole_application(receiver: Receiver) -> None:
    app = AsgiReceiver(receiver)
    sent = await asgi(app, {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [one["type"] for one in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="websocket"):
        await asgi(app, {"type": "websocket"})


class Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def over_http(app: WsgiReceiver) -> Iterator[str]:
    """The application behind the server of the standard library, which checks that it keeps to PEP 3333."""
    server: WSGIServer = make_server("127.0.0.1", 0, validator(app), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    try:
        with urlopen(Request(url, body, headers | {"Content-Type": "application/json"}), timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_wsgi_answers_over_http(receiver: Receiver) -> None:
    with over_http(WsgiReceiver(receiver)) as url:
        status, body = post(url, ORDER, signed(ORDER))
        assert (status, body) == (200, b'{"success":true,"accountIdentifier":"account of acme"}')
        assert post(url, CANCEL, signed(CANCEL, msg_id="e-2"))[0] == 503
        assert post(url, ORDER, signed(CANCEL))[0] == 401


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"REQUEST_METHOD": "GET"}, "405 Method Not Allowed"),
        ({"REQUEST_METHOD": "POST"}, "411 Length Required"),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "²"}, "411 Length Required"),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "11"}, "413 "),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9" * 5000}, "413 "),
    ],
)
def test_wsgi_reads_nothing_that_it_will_not_take(receiver: Receiver, environ: dict[str, str], status: str) -> None:
    started: list[str] = []
    WsgiReceiver(receiver, max_body_bytes=10)(environ, lambda line, headers: started.append(line))
    assert started[0].startswith(status)

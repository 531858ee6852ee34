"""A receiver as an aiohttp handler, and a middleware for those who keep handlers of their own."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler as RequestHandler
from aiohttp.typedefs import Middleware

from dispatcher.receiver.answers import Answer, ErrorCode
from dispatcher.receiver.events import Event, UnreadableEvent
from dispatcher.receiver.reading import read_event
from dispatcher.receiver.receiving import Receiver
from dispatcher.receiver.verifying import NotGenuine, Verifier

EVENT = web.RequestKey("dispatcher_event", Event)
"""Of a request that the middleware let through: ``request[EVENT]``."""


def notifications(receiver: Receiver) -> RequestHandler:
    """For ``app.router.add_post``. Bodies may be as long as ``client_max_size`` of the application."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return _response(await receiver.receive(request.headers, await request.read()))

    return handle


def verified(verifier: Verifier) -> Middleware:
    """Lets through genuine notifications alone. Repeats are the handler's matter."""

    @web.middleware
    async def check(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
        body = await request.read()
        try:
            request[EVENT] = read_event(body, verifier.verify(request.headers, body).id)
        except NotGenuine as error:
            return _response(
                Answer(401, {"success": False, "errorCode": ErrorCode.UNAUTHORIZED, "message": str(error)})
            )
        except UnreadableEvent as error:
            return _response(Answer(400, {"success": False, "message": str(error)}))
        return await handler(request)

    return check


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status, body=answer.body(), headers={"Content-Type": "application/json", **answer.headers}
    )

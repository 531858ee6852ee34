"""A receiver as an ASGI application, to be mounted at the path of the notifications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from dispatcher.receiver.answers import Answer
from dispatcher.receiver.receiving import Receiver

MAX_BODY_BYTES = 4 * 1024 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiReceiver:
    """POST only; longer bodies than ``max_body_bytes`` are 413 and not read to their end."""

    def __init__(self, receiver: Receiver, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._receiver = receiver
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            if answer is not None:
                await _send(answer, send)
        else:
            raise ValueError(f"{scope['type']} is not what notifications come by")

    async def _answer(self, scope: Message, receive: Receive) -> Answer | None:
        """None = the caller has gone."""
        if scope["method"] != "POST":
            return Answer(405, {"success": False}, {"Allow": "POST"})
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_body_bytes:
                return Answer(413, {"success": False})
            if not message.get("more_body", False):
                break
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        return await self._receiver.receive(headers, bytes(body))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        what = (await receive())["type"]
        await send({"type": f"{what}.complete"})
        if what == "lifespan.shutdown":
            return


async def _send(answer: Answer, send: Send) -> None:
    body = answer.body()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})

"""The short way of a receipt keeps what aiohttp's general way promises."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

from aiohttp.test_utils import make_mocked_request

from dispatcher.api.http.aiohttp_inside.receipt import Receipt


async def test_a_receipt_waits_for_a_caller_that_does_not_read_its_answers() -> None:
    read = asyncio.Event()
    transport = Mock(**{"is_closing.return_value": False})
    request = make_mocked_request("POST", "/v1/events", transport=transport, writer=Mock(drain=read.wait))
    sending = asyncio.create_task(Receipt({"id": "1"}, 202, {"Location": "/1"}).prepare(request))
    await asyncio.sleep(0.05)
    assert not sending.done()
    read.set()
    await sending
    head, _, body = transport.write.call_args.args[0].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert body == b'{"id":"1"}'

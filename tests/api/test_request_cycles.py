"""Requests are freed as soon as they are answered: freeing them by garbage collection costs a third of an accept."""

from __future__ import annotations

import gc

from aiohttp import web

from tests.api.conftest import Api


def requests_alive() -> int:
    return sum(isinstance(one, web.Request) for one in gc.get_objects())


async def test_an_accept_leaves_no_request_to_the_garbage_collector(api: Api) -> None:
    await api.emit(accountId="A")
    gc.collect()
    gc.disable()
    try:
        await api.json("GET", "/healthz", 200)  # collecting takes so long that the connection may be closed by now
        before = requests_alive()
        for _ in range(20):
            await api.emit(accountId="A")
        assert requests_alive() <= before + 1
    finally:
        gc.enable()

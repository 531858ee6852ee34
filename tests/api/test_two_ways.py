"""An accept is answered byte for byte the same, whether it is begun at once or goes aiohttp's way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dispatcher.errors import StoreDeclined, StoreUnavailable
from tests.api.accepts import ENDING, EVENT, IN_PIECES, NEXT, ODD, ORDINARY, post, said
from tests.api.both_ways import Ways, both_ways
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, basic


@pytest.fixture
async def ways(api: Api) -> AsyncIterator[Ways]:
    async with both_ways(api) as ways:
        yield ways


async def test_what_is_begun_at_once_is_answered_as_by_the_handler(ways: Ways) -> None:
    for name, request in ORDINARY.items():
        await ways.both(request, NEXT)
        ways.begun.clear()
        prompt, general = await ways.both(request, NEXT)
        assert prompt == general, name
        assert prompt.count(b"HTTP/1.1 202 Accepted") == len(ways.begun) == request.count(b"POST "), name


async def test_a_key_makes_one_event_either_way_and_takes_no_other_body(ways: Ways) -> None:
    await ways.both(post(), NEXT)
    ways.begun.clear()
    keyed = [post(body, "Idempotency-Key: WAY") for body in (EVENT, EVENT, said(accountId="A-2"))]
    prompt, general = await ways.both(b"".join(keyed), NEXT)
    assert prompt == general
    assert [prompt.count(word) for word in (b" 202 Accepted", b"Idempotency-Replayed: true", b" 409 ")] == [2, 1, 1]
    assert b"idempotency_conflict" in prompt
    assert len(ways.begun) == 3


async def test_what_is_odd_is_answered_as_ever(ways: Ways) -> None:
    cases = {name: [request] for name, request in ODD.items()} | IN_PIECES
    differing = {}
    for name, pieces in cases.items():
        ways.begun.clear()
        prompt, general = await ways.both(*pieces, *([] if name in ENDING else [NEXT]))
        assert prompt.startswith(b"HTTP/1."), name
        assert name in ENDING or prompt.endswith(b'{"status":"ok"}'), name
        if prompt != general:
            differing[name] = prompt, general
    assert differing == {}


@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), StoreDeclined("its slot moves")])
async def test_a_write_that_fails_is_told_as_by_the_handler(
    api: Api, ways: Ways, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ways.both(post(), NEXT)
    with monkeypatch.context() as patch:

        async def fails(_: object, events: list[object]) -> list[Exception]:
            raise failure

        patch.setattr(type(api.services.queue), "accept_each", fails)
        ways.begun.clear()
        prompt, general = await ways.both(post() * 2, NEXT)
    assert prompt == general
    assert ways.begun
    assert prompt.count(b"HTTP/1.1 50") == 2


async def test_a_store_that_is_full_is_told_as_by_the_handler(
    api: Api, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.services.acceptor.close(True)
    monkeypatch.setattr(
        api.services.acceptor, "close", lambda _: None
    )  # the store itself has room, as its watch will say
    prompt, general = await ways.both(post(), NEXT)
    assert prompt == general
    assert b"store_full" in prompt


async def test_a_token_that_is_revoked_is_refused_at_once(api: Api, ways: Ways) -> None:
    token = await api.token()
    request = post(token=token)
    await ways.both(request, NEXT)
    await ways.both(request, NEXT)
    assert ways.begun
    await api.http.post("/oauth2/revoke", data={"token": token}, headers=basic(ADMIN_ID, ADMIN_SECRET))
    ways.begun.clear()
    prompt, general = await ways.both(request, NEXT)
    assert prompt == general
    assert prompt.startswith(b"HTTP/1.1 401")
    assert not ways.begun

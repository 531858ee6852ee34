"""The client library against the API itself: keys, replays, batches, and the program of its page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.client import ApiError, Client
from dispatcher.client.answers import NewEvent
from dispatcher.client.emitter import Bounds
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, PRODUCT, Api

PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with Client(str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET) as client:
        yield client


def order(account: str) -> NewEvent:
    payload: Any = {"order": {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": 5}]}}
    return {"type": "create", "productId": PRODUCT, "accountId": account, "payload": payload}


async def test_a_repeat_with_the_same_key_is_told(client: Client) -> None:
    first, again = [await client.emit(order("A-1"), "order-1") for _ in range(2)]
    assert (first["replayed"], again["replayed"], again["id"] == first["id"]) == (False, True, True)


async def test_a_batch_that_is_emitted_again_makes_no_second_event(client: Client) -> None:
    made = []
    for _ in range(2):
        async with client.emitter(bounds=Bounds(wait_s=3600)) as emitter:
            made.append([await emitter.put(order(f"A-{n}"), f"order-{n}") for n in range(3)])
    first, again = ([one.result() for one in accepted] for accepted in made)
    assert first == again
    assert [event["id"] async for event in client.events({"productId": PRODUCT})] == first[::-1]
    assert (await client.event(first[0]))["payload"] == order("A-0").get("payload")


async def test_one_refusal_in_a_batch_names_its_field_and_leaves_the_others(client: Client) -> None:
    async with client.emitter() as emitter:
        bad: dict[str, Any] = {"type": "create", "productId": "unknown"}
        results = await asyncio.gather(emitter.emit(bad), emitter.emit(order("A-1")), return_exceptions=True)
    assert isinstance(results[0], ApiError)
    assert (results[0].status, results[0].problems[0].field) == (422, "productid")
    assert isinstance(results[1], str)


async def test_the_program_of_the_page_emits_what_it_says(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(program.replace('"shop"', f'"{PRODUCT}"'), "docs/client.md", "exec"), names)
    found = await names["main"](str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET)
    assert len(found) == 1001
    assert "422 [(" in capsys.readouterr().out

"""Views of each visitor of the console, and parts that are not there."""

from __future__ import annotations

import re

import pytest

from tests.api.conftest import PRODUCT
from tests.api.console.conftest import Visitor
from tests.api.console.page_text import sound


@pytest.mark.parametrize("path", ["nothing", "events/nothing", "events/%00", "events/x/y", "events/%ED%A0%80"])
async def test_what_is_not_there_is_a_page(operator: Visitor, path: str) -> None:
    page = sound(await operator.look(f"/console/{path}", 404))
    assert "Nothing here" in page
    assert '<nav id="menu"' in page
    assert 'href="/console/events">To the events</a>' in page


async def test_what_is_not_there_is_a_page_without_a_session_as_well(visitor: Visitor) -> None:
    page = sound(await visitor.look("/console/nothing", 404))
    assert ("Nothing here" in page, "<nav" in page) == (True, False)


async def test_clients_of_one_account_see_its_events_only(visitor: Visitor) -> None:
    mine, other = [(await visitor.api.emit(accountId=account))["id"] for account in ("A-1", "A-2")]
    await visitor.sign_in_as_new("events:read", "ops:read", account_id="A-1")
    assert await visitor.sent_to("/console") == "/console/events"
    page = await visitor.look("/console/events")
    assert (mine in page, other in page, ">Overview<" in page) == (True, False, False)
    assert other not in await visitor.look("/console/events?accountId=A-2")
    await visitor.look(f"/console/events/{mine}")
    await visitor.look(f"/console/events/{other}", 404)


async def test_clients_of_one_vendor_see_events_of_its_integrations_only(visitor: Visitor) -> None:
    event = await visitor.api.emit(productId=PRODUCT)
    await visitor.sign_in_as_new("events:read", "ops:read", vendor_id="V-other")
    assert event["id"] not in await visitor.look("/console/events")
    await visitor.look(f"/console/events/{event['id']}", 404)
    overview = sound(await visitor.look("/console"))
    assert ("<h2>Workers</h2>" in overview, visitor.integration.id in overview) == (False, False)


async def test_each_page_needs_its_scope(visitor: Visitor) -> None:
    event = await visitor.api.emit()
    await visitor.sign_in_as_new("ops:read")
    assert "Overview" in await visitor.look("/console")
    assert "events:read" in await visitor.look("/console/events", 403)
    await visitor.look(f"/console/events/{event['id']}", 403)
    await visitor.sign_in_as_new("events:read")
    assert await visitor.sent_to("/console") == "/console/events"


async def test_names_are_told_to_those_who_may_read_integrations(visitor: Visitor) -> None:
    event = await visitor.api.emit()
    for further, told in (((), False), (("integrations:read",), True)):
        await visitor.sign_in_as_new("events:read", "ops:read", *further)
        for path in ("/console", f"/console/events/{event['id']}"):
            page = sound(await visitor.look(path))
            assert (bool(re.search(r">test(</b>)?</a>", page)), visitor.integration.id in page) == (told, True)


async def test_a_clients_rate_holds_here_too(visitor: Visitor) -> None:
    clients = visitor.api.services.clients
    client, secret = await clients.create(frozenset({"events:read"}), "slow", None, 0, rate_per_s=0.01)
    assert (await visitor.sign_in(client.client_id, secret)).status == 303
    statuses = [(await visitor.api.http.get("/console/events")).status for _ in range(3)]
    assert statuses == [200, 429, 429]

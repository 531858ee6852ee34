"""Asking for ping tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from redis.asyncio import Redis

from dispatcher.errors import Conflict, Unprocessable
from dispatcher.flow.pings.request import request_ping
from dispatcher.model.event_type import URL_FIELDS, EventType
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingStatus, PingTest, PingVersion
from dispatcher.store.definitions.pings.history import KEPT
from tests.flow.definition_desk import NOW_MS, URL, Desk, desk_on, told

WORKING, PUBLISHED = PingVersion.WORKING, PingVersion.PUBLISHED


@dataclass
class Noted:
    asked: list[tuple[str, list[EventType]]] = field(default_factory=list)

    async def start(self, integration: Integration, test: PingTest) -> None:
        self.asked.append((test.version, [one.event_type for one in test.results]))


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def test_running_test_is_written_down_before_it_starts(desk: Desk) -> None:
    created, noted = (await desk.create()).integration, Noted()
    types = [EventType.SUBSCRIPTION_ORDER, EventType.USER_ASSIGNMENT]
    asked = await request_ping(desk.definitions, noted, created.connector_id, WORKING, types, NOW_MS)
    assert noted.asked == [("WORKING", types)]
    test = await desk.definitions.pings.last(created.id)
    assert test == asked.test
    assert (test.status, test.started_ms, test.completed_ms) == (PingStatus.RUNNING, NOW_MS, None)
    assert [(one.event_type, one.url, one.status) for one in test.results] == [
        (EventType.SUBSCRIPTION_ORDER, URL, PingStatus.PENDING),
        (EventType.USER_ASSIGNMENT, None, PingStatus.PENDING),
    ]


async def test_without_types_each_configured_url_is_pinged_once(desk: Desk) -> None:
    urls = dict.fromkeys(URL_FIELDS, URL)
    created, noted = (await desk.create(urls)).integration, Noted()
    await request_ping(desk.definitions, noted, created.id, WORKING, None, NOW_MS)
    ((_, types),) = noted.asked
    assert len(types) == len(URL_FIELDS) - 1
    assert EventType.SUBSCRIPTION_STATUS not in types
    assert EventType.ADDON_ORDER in types


async def test_published_version_needs_a_publish_and_keeps_its_urls(desk: Desk) -> None:
    created, noted = (await desk.create()).integration, Noted()
    with pytest.raises(Conflict) as refused:
        await request_ping(desk.definitions, noted, created.id, PUBLISHED, None, NOW_MS)
    assert told(refused.value) == [("not_published", "version")]
    published = await desk.published()
    await desk.update(published.id, {"createUrl": URL + "/new"})
    asked = await request_ping(desk.definitions, noted, published.id, PUBLISHED, None, NOW_MS)
    assert (asked.test.revision, asked.test.results[0].url) == (1, URL)
    working = await request_ping(desk.definitions, noted, published.id, WORKING, None, NOW_MS)
    assert (working.test.revision, working.test.results[0].url) == (0, URL + "/new")


async def test_status_notifications_cannot_be_pinged(desk: Desk) -> None:
    created, noted = (await desk.create()).integration, Noted()
    with pytest.raises(Unprocessable) as refused:
        await request_ping(desk.definitions, noted, created.id, WORKING, [EventType.SUBSCRIPTION_STATUS], NOW_MS)
    assert told(refused.value) == [("not_pingable", "eventTypes")]
    with pytest.raises(Unprocessable):
        await request_ping(desk.definitions, noted, created.id, WORKING, [], NOW_MS)
    assert noted.asked == []


async def test_results_replace_the_running_test_even_when_a_newer_one_came(desk: Desk) -> None:
    created, noted = (await desk.create()).integration, Noted()
    asked = [await request_ping(desk.definitions, noted, created.id, WORKING, None, NOW_MS + n) for n in range(3)]
    passed = replace(asked[1].test, status=PingStatus.PASSED, completed_ms=NOW_MS + 9)
    assert await desk.definitions.pings.replace(created.id, passed)
    history = await desk.definitions.pings.history(created.id)
    assert history == [asked[2].test, passed, asked[0].test]
    assert not await desk.definitions.pings.replace(created.id, replace(passed, id="other"))


async def test_history_is_capped(desk: Desk) -> None:
    created, noted = (await desk.create()).integration, Noted()
    for n in range(KEPT + 2):
        await request_ping(desk.definitions, noted, created.id, WORKING, None, NOW_MS + n)
    assert len(await desk.definitions.pings.history(created.id, 1000)) == KEPT

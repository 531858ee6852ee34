"""Pages of the console: the queue, events, why one waits, and nothing of what a visitor may not see."""

from __future__ import annotations

import re
from html import escape

import pytest

from dispatcher.flow.events.reading.explain import SENTENCES
from dispatcher.model.integration import Revision
from dispatcher.model.queue import WORKER_ALIVE_MS, Reason
from dispatcher.model.status import Status
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.search import listing
from tests.api.conftest import publish
from tests.api.console.conftest import SIGN_IN, Visitor
from tests.api.console.page_text import sound
from tests.api.worker_hand import WorkerHand

SCRIPT = "<script>alert('x')</script>\"'&"


async def test_every_answer_forbids_foreign_scripts_frames_and_caches(operator: Visitor) -> None:
    event = await operator.api.emit()
    events = ("/console/events", f"/console/events/{event['id']}")
    for path in ("/console", *events, "/console/nothing", SIGN_IN):
        for method in ("GET", "HEAD"):
            answer = await operator.api.http.request(method, path)
            assert answer.content_type == "text/html", path
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            sound(await answer.text() if method == "GET" else "")


async def test_pages_and_their_style_are_sent_in_gzip_to_whoever_takes_it(operator: Visitor) -> None:
    sheet = (await operator.look("/console")).partition('rel="stylesheet" href="')[2].partition('"')[0]
    for path in ("/console/settings", sheet):
        for asked, coding in (("br, gzip", "gzip"), ("identity", None), ("gzip;q=0", None)):
            answer = await operator.api.http.get(path, headers={"Accept-Encoding": asked})
            assert (answer.headers.get("Content-Encoding"), answer.headers["Vary"]) == (coding, "Accept-Encoding")
            assert len(await answer.text()) > 1000


async def test_the_style_is_served_as_such(visitor: Visitor) -> None:
    sheet = (await visitor.look(SIGN_IN)).partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = await visitor.api.http.get(sheet)
    assert (answer.status, answer.content_type) == (200, "text/css")
    assert "immutable" in answer.headers["Cache-Control"]


async def test_the_queue_shows_what_waits_and_what_holds_it_back(operator: Visitor) -> None:
    assert "Nothing waits" in sound(await operator.look("/console"))
    for _ in range(3):
        await operator.api.emit()
    await operator.api.services.queue.pause(operator.integration.id)
    page = sound(await operator.look("/console"))
    assert f"/console/events?q=integration%3A{operator.integration.id}" in page
    assert '<span class="pill is-off">paused</span> <span class="small dim">no end</span>' in page
    assert "<dt>waiting</dt><dd>2</dd>" in page


async def test_a_silent_worker_is_a_red_row_until_it_is_forgotten(operator: Visitor) -> None:
    beats = Heartbeats(operator.api.redis)
    await beats.look("silent")
    await beats.tell("silent", b'{"host":"far","pid":7,"partitions":[1,2],"inFlight":3}')
    assert "bad" not in sound(await operator.look("/console")).partition("<h2>Workers</h2>")[2]
    seconds, _ = await operator.api.redis.time()
    await operator.api.redis.zadd(deployment_keys.WORKERS, {"silent": seconds * 1000 - 2 * WORKER_ALIVE_MS})
    page = sound(await operator.look("/console")).partition("<h2>Workers</h2>")[2]
    assert "<code>silent</code>" in page
    assert re.search(r'is-bad">silent</span> <span class="small dim">1[01] s ago', page), page
    await beats.leave("silent")
    assert "No worker runs" in await operator.look("/console")


async def test_an_event_tells_its_attempts_and_why_it_is_where_it_is(operator: Visitor) -> None:
    first, second = [await operator.api.emit(payload={"note": i}) for i in range(2)]
    await WorkerHand(operator.api).settle(first["id"], Status.RETRYING, delay_ms=60_000)
    page = sound(await operator.look(f"/console/events/{first['id']}"))
    assert SENTENCES[Reason.RETRY_PLANNED] in page
    for told in (
        "HTTP_ERROR",
        "https://host.example/hook",
        "12.5 ms",
        "UNKNOWN_ERROR: answered 500",
        "2 characters, masked",
    ):
        assert told in page
    behind = sound(await operator.look(f"/console/events/{second['id']}"))
    assert SENTENCES[Reason.BEHIND] in behind
    assert f'<a href="/console/events/{first["id"]}">To that event</a>' in behind
    assert "None so far." in behind
    await operator.api.services.queue.pause(operator.integration.id)
    assert SENTENCES[Reason.PAUSED] in await operator.look(f"/console/events/{first['id']}")


async def test_an_event_that_no_worker_takes_says_so(operator: Visitor) -> None:
    event = await operator.api.emit()
    assert SENTENCES[Reason.NO_WORKER] in await operator.look(f"/console/events/{event['id']}")


async def test_a_delivered_event_says_so(operator: Visitor) -> None:
    event = await operator.api.emit()
    await WorkerHand(operator.api).settle(event["id"], Status.SUCCEEDED, http_status=200)
    page = await operator.look(f"/console/events/{event['id']}")
    assert SENTENCES[Reason.DELIVERED] in page
    assert "next attempt" not in page


async def test_bi55_what_others_wrote_is_text(operator: Visitor) -> None:
    made = await publish(operator.api.services, Revision(urls={"createUrl": "https://h.example/"}), products=(SCRIPT,))
    event = await operator.api.emit(productId=SCRIPT, accountId=SCRIPT, payload={SCRIPT: SCRIPT})
    assert (await operator.api.services.queue.get(event["id"])) is not None
    paths = ["/console", "/console/events", f"/console/events/{event['id']}"]
    for path in [*paths, f"/console/events?integrationId={made.id}"]:
        page = sound(await operator.look(path))
        assert SCRIPT not in page
    answer = await operator.api.http.get("/console/events", params={"accountId": SCRIPT, "from": SCRIPT})
    assert (answer.status, SCRIPT in sound(await answer.text())) == (400, False)
    answer = await operator.api.http.get("/console/events", params={"accountId": SCRIPT})
    assert event["id"] in sound(await answer.text())
    assert escape(SCRIPT) in (await answer.text()).replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


async def test_events_are_listed_under_conditions_page_by_page(operator: Visitor) -> None:
    ids = [(await operator.api.emit(accountId=f"A&{i % 2}"))["id"] for i in range(120)]
    page = sound(
        await operator.look("/console/events?status=&type=&productId=&accountId=A%261&integrationId=&from=&to=")
    )
    assert [one in page for one in ids[-4:]] == [False, True, False, True]
    assert "<code>accountId=A&amp;1</code>" in page
    older = page.partition(' class="button" rel="next"')[0].rpartition('<a href="/console/events?')[2].rstrip('"')
    further = sound(await operator.look(f"/console/events?{older.replace('&amp;', '&')}"))
    assert ids[1] in further
    assert ids[0] not in further
    assert "Older" not in further
    none = sound(await operator.look("/console/events?accountId=nobody"))
    assert "no event that meets these conditions" in none


@pytest.mark.parametrize("query", ["status=BOGUS", "from=yesterday", "cursor=x", "type=x"])
async def test_conditions_that_cannot_be_read_are_told(operator: Visitor, query: str) -> None:
    page = sound(await operator.look(f"/console/events?{query}", 400))
    assert query.partition("=")[0] in page


async def test_a_definition_that_cannot_be_read_hides_nothing_else(operator: Visitor) -> None:
    event = await operator.api.emit()
    await operator.api.redis.set(f"{{def}}:i:{operator.integration.id}", b"{")
    operator.api.services.cache.clear()
    assert operator.integration.id in sound(await operator.look("/console"))
    assert operator.integration.id in sound(await operator.look(f"/console/events/{event['id']}"))


async def test_an_attempt_that_cannot_be_read_hides_no_other(operator: Visitor) -> None:
    event = await operator.api.emit()
    await WorkerHand(operator.api).settle(event["id"], Status.RETRYING, delay_ms=60_000)
    key = queue_keys.event(int(event["id"][-3:], 16), event["id"])
    for field, value in (("a2", "{"), ("a3", '{"t":1,"o":"NEWER"}')):
        await operator.api.redis.hset(key, field, value)  # type: ignore[misc]
    assert "HTTP_ERROR" in sound(await operator.look(f"/console/events/{event['id']}"))
    attempts = await operator.api.json("GET", f"/v1/events/{event['id']}/attempts", 200)
    assert [attempt["n"] for attempt in attempts] == [1]


async def test_a_large_payload_does_not_grow_by_being_shown(operator: Visitor) -> None:
    event = await operator.api.emit(payload={"rows": [[[[[0] * 500]]] for _ in range(200)]})
    page = sound(await operator.look(f"/console/events/{event['id']}"))
    assert len(page) < 600_000


async def test_a_problem_leaves_the_way_back(operator: Visitor) -> None:
    for path, status in (("/console/events?status=BOGUS", 400), ("/console/events/nothing", 404)):
        page = sound(await operator.look(path, status))
        assert 'href="/console/events"' in page
        assert "Sign out" in page


@pytest.mark.parametrize(
    "query", ["acountId=A-1", "accountId=A&accountId=B", "status=DEAD&status=FAILED", "fromDate=1"]
)
async def test_conditions_that_the_form_has_not_are_refused(operator: Visitor, query: str) -> None:
    await operator.look(f"/console/events?{query}", 400)


async def test_several_statuses_stay_chosen(operator: Visitor) -> None:
    page = sound(await operator.look("/console/events?status=dead,FAILED&type=create"))
    assert "<code>status=dead,FAILED</code>" in page
    assert "<code>type=create</code>" in page


async def test_a_list_that_is_not_read_to_its_end_goes_on(operator: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for account in ("A-1", *["A-2"] * 20):
        await operator.api.emit(accountId=account)
    monkeypatch.setattr(listing, "MAX_LOOKED", 3)
    monkeypatch.setattr(listing, "SCAN_CHUNK", 3)
    page = sound(await operator.look("/console/events?accountId=A-1"))
    assert "Searched back to" in page
    assert "data-found>none</b> found so far" in page
    pages = [page]
    while 'rel="next"' in page:
        onward = page.partition(' class="button" rel="next"')[0].rpartition('<a href="')[2].rstrip('"')
        page = sound(await operator.look(onward.replace("&amp;", "&")))
        pages.append(page)
    assert len(pages) > 3
    assert "".join(pages).count('data-label="account" class="who">A-1<') == 1
    assert "No older event meets these conditions" in page
    assert "Back to the newest" in page

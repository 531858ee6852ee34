"""A product host's page: its own deliveries and nothing of anyone else's, redelivering, pings, and how it ends."""

from __future__ import annotations

import pytest

from dispatcher.api.services import PING_STARTER
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.pages.messages import messages
from tests.api.audit_entries import newest
from tests.api.portal.conftest import Host
from tests.api.tenants import bearer

PAGES = ("/portal", "/portal/pings", "/portal/keys")


async def test_nothing_is_shown_without_a_link(host: Host) -> None:
    event = await host.api.emit()
    for path in (*PAGES, f"/portal/events/{event['id']}"):
        page = await host.look(path, 401)
        assert "Nothing is open here" in page
        assert host.integration.id not in page
    for path in (f"/portal/events/{event['id']}/redeliver", "/portal/pings", "/portal/keys", "/portal/leave"):
        assert (await host.send(path, form="x")).status == 401


async def test_an_empty_page_says_what_comes_and_what_to_do_first(developer: Host) -> None:
    page = await developer.look()
    assert "Nothing has been sent in the last 24 hours" in page
    assert "Send a ping" in page
    assert "Nothing has been sent to this integration yet" in page


async def test_deliveries_are_listed_with_what_is_wrong_first(developer: Host) -> None:
    dead, waiting = (await developer.api.emit())["id"], (await developer.api.emit(accountId="A-2"))["id"]
    await developer.hand.settle(dead, Status.DEAD)
    page = await developer.look()
    assert "Deliveries that ended without success: 1" in page
    assert "UNKNOWN_ERROR: answered 500" in page
    assert dead in page
    assert waiting in page
    failed = await developer.look("/portal?show=failed")
    assert dead in failed
    assert waiting not in failed
    assert waiting in await developer.look("/portal?show=open&cursor=")
    assert "Nothing has been delivered yet" in await developer.look("/portal?show=delivered")
    await developer.look("/portal?cursor=nonsense", 400)


async def test_an_event_tells_why_and_what_was_said_and_is_redelivered_once_asked(developer: Host) -> None:
    event_id = (await developer.api.emit(payload={"note": "<script>"}))["id"]
    await developer.hand.settle(event_id, Status.DEAD)
    path = f"/portal/events/{event_id}"
    page = await developer.look(path)
    assert "Every attempt has been used up" in page
    assert "HTTP 500" in page
    assert "&lt;script&gt;" in page
    answer = await developer.send(f"{path}/redeliver")
    assert (answer.status, answer.headers["Location"]) == (303, f"{path}?redelivered")
    assert "It will be sent again" in await developer.look(f"{path}?redelivered")
    entry = await newest(developer.api)
    assert (entry["action"], entry["objectId"]) == ("redeliverEvent", event_id)
    assert entry["clientId"].startswith("portal:")
    assert (await developer.send(f"{path}/redeliver")).status == 409


async def test_what_is_anybody_elses_is_not_there(developer: Host) -> None:
    other = (await developer.api.emit(productId="P-other"))["id"]
    await developer.hand.settle(other, Status.DEAD)
    assert other not in await developer.look()
    foreign = await developer.look(f"/portal/events/{other}", 404)
    absent = await developer.look(f"/portal/events/{other[:-1]}0", 404)
    told = [page.partition("<main")[2].partition("Request ")[0] for page in (foreign, absent)]
    assert told[0] == told[1]
    assert (await developer.send(f"/portal/events/{other}/redeliver")).status == 404
    stored = await developer.api.services.queue.get(other)
    assert stored is not None
    assert stored.state.status is Status.DEAD


async def test_a_form_of_another_session_or_site_does_nothing(developer: Host) -> None:
    event_id = (await developer.api.emit())["id"]
    await developer.hand.settle(event_id, Status.DEAD)
    path, old = f"/portal/events/{event_id}/redeliver", await developer.token()
    await developer.enter()
    assert (await developer.send(path, form=old)).status == 403
    assert (await developer.send(path, form="nonsense")).status == 403
    assert (await developer.send(path, headers={"Origin": "https://evil.example"})).status == 403
    assert (await developer.send(path, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    stored = await developer.api.services.queue.get(event_id)
    assert stored is not None
    assert stored.state.status is Status.DEAD
    assert (await developer.send(path)).status == 303


async def test_a_ping_is_asked_for_and_shown(developer: Host) -> None:
    started: list[str] = []

    class Starter:
        async def start(self, integration: object, test: object) -> None:
            started.append(str(getattr(test, "security", None)))

    developer.api.http.app._state[PING_STARTER] = Starter()
    assert "has not been pinged yet" in await developer.look("/portal/pings")
    answer = await developer.send("/portal/pings", {"security": "true"})
    assert (answer.status, answer.headers["Location"]) == (303, "/portal/pings")
    assert started == ["True"]
    page = await developer.look("/portal/pings")
    assert "A ping is under way" in page
    assert 'http-equiv="refresh"' in page
    assert "SUBSCRIPTION_ORDER" in page


async def test_it_speaks_german_and_knows_every_word_of_events(developer: Host) -> None:
    assert "Zustellungen" in await developer.look("/portal", 200, **{"Accept-Language": "de-AT"})
    for language in ("en", "de"):
        known = messages(language)
        assert [one for one in Reason if f"portal.why.{one.value}" not in known] == []
        assert [one for one in Status if f"portal.status.{one.value}" not in known] == []


async def test_a_session_ends_idle_in_any_case_and_by_leaving(host: Host) -> None:
    await host.enter()
    host.api.clock.now_s += 1799
    await host.look()
    host.api.clock.now_s += 1799
    await host.look()
    host.api.clock.now_s += 1800
    await host.look(status=401)
    await host.enter()
    for _ in range(17):
        host.api.clock.now_s += 1690
        await host.look()
    host.api.clock.now_s += 100
    await host.look(status=401)
    await host.enter()
    kept = host.api.http.session.cookie_jar.filter_cookies(host.api.http.make_url("/portal"))
    left = await host.send("/portal/leave")
    assert "You have left" in await left.text()
    stolen = "; ".join(f"{name}={morsel.value}" for name, morsel in kept.items())
    assert (await host.api.http.get("/portal", headers={"Cookie": stolen})).status == 401


async def test_a_session_ends_with_its_vendor_its_maker_and_its_integration(host: Host) -> None:
    headers = await bearer(host.api, "integrations:write", vendor_id="acme")
    answer = await host.click(await host.link(headers=headers))
    assert answer.status == 303
    await host.look()
    await host.change(vendor_id="rival")
    await host.look(status=401)
    await host.change(vendor_id="acme")
    await host.look()
    made_by = next(one for one in await host.api.services.clients.all() if one.vendor_id == "acme")
    await host.api.services.clients.disable(made_by.client_id)
    await host.look(status=401)


@pytest.mark.parametrize("path", ["/portal/nothing", "/portal/events/x"])
async def test_an_unknown_address_is_a_page_with_the_way_back(developer: Host, path: str) -> None:
    page = await developer.look(path, 404)
    assert "There is nothing here" in page
    assert 'href="/portal"' in page or "Request" in page

"""Integrations in the console: seen by those who may, changed under the caller's rights, and written down."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dispatcher.console.integrations.forms import FORMS
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.model.integration import CredentialType, Revision
from dispatcher.model.ping import PingStatus, PingTest, PingVersion
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader
from tests.api.conftest import PRODUCT, publish
from tests.api.console.conftest import Visitor

VIEWS = ("", "/edit", "/credentials", "/limits", "/urls", "/keys", "/revisions", "/pings")
ABOUT_KEYS = ("/keys/rotate", "/keys/schedule", "/keys/inbound")
POSTS = ("/publish", "/link", "/unlink", "/edit", "/limits", "/credentials", "/urls/enable", "/pings", *ABOUT_KEYS)


def place(visitor: Visitor, below: str = "") -> str:
    return f"/console/integrations/{visitor.integration.id}{below}"


async def form_of(visitor: Visitor, path: str) -> dict[str, str]:
    """The hidden fields of the page's last form of ours."""
    page = await visitor.look(path)
    return dict(re.findall(r'<input type="hidden" name="(form|modified|draft)" value="([^"]*)"', page))


async def act(visitor: Visitor, below: str, fields: dict[str, str], seen: str = "", status: int = 303) -> str:
    """Send a form as the page of ``seen`` has it."""
    hidden = await form_of(visitor, place(visitor, seen))
    answer = await visitor.send(place(visitor, below), hidden | fields)
    text = await answer.text()
    assert answer.status == status, text
    return text or answer.headers["Location"]


async def actions(visitor: Visitor) -> list[tuple[str, str]]:
    """Entries of the audit log, oldest first: action and author."""
    page = await AuditReader(visitor.api.redis).page(AuditFilter(), None, 100)
    return [(one.action().name, one.action().author.client_id) for one in reversed(page.items)]


def test_every_field_that_publishers_give_stands_in_one_form() -> None:
    named = [name for form in FORMS.values() for names in form.values() for name in names]
    assert sorted(named) == sorted(row.name for row in INTEGRATION.fields if row.given)


async def test_integrations_are_listed_with_their_state_and_found_by_name(operator: Visitor) -> None:
    other = await publish(operator.api.services, Revision(urls={"createUrl": "https://other.example/"}))
    await operator.api.services.queue.pause(operator.integration.id)
    page = await operator.look("/console/integrations")
    assert operator.integration.id[:8] in page
    assert "paused" in page
    assert "link one, and its events come here" in page
    found = await operator.look(f"/console/integrations?q={other.id}")
    assert (operator.integration.id[:8] in found, other.id[:8] in found) == (False, True)
    assert PRODUCT in await operator.look(f"/console/integrations?q={PRODUCT.lower()}")
    assert "None of 2 integrations looked at" in await operator.look("/console/integrations?q=nobody")


@pytest.mark.parametrize("below", VIEWS)
async def test_a_viewer_sees_every_page_and_no_button(visitor: Visitor, below: str) -> None:
    await visitor.sign_in_as_new("integrations:read", "events:read", "ops:read")
    page = await visitor.look(place(visitor, below))
    assert re.findall(r'<form method="post" action="([^"]*)"', page) == ["/console/sign-out"]


@pytest.mark.parametrize("below", POSTS)
async def test_j5_what_a_viewer_posts_is_refused(visitor: Visitor, below: str) -> None:
    await visitor.sign_in_as_new("integrations:read", "events:read", "ops:read")
    before = await actions(visitor)
    answer = await visitor.send(place(visitor, below), {})
    assert answer.status == 403
    assert await actions(visitor) == before


async def test_a_form_of_another_session_is_refused(operator: Visitor) -> None:
    hidden = await form_of(operator, place(operator))
    await operator.sign_in()
    assert (await operator.send(place(operator, "/publish"), hidden)).status == 403


async def test_anothers_integration_does_not_exist_for_a_vendor(visitor: Visitor) -> None:
    await visitor.sign_in_as_new("integrations:read", "integrations:write", "events:read", vendor_id="V-1")
    for below in VIEWS:
        await visitor.look(place(visitor, below), 404)
    assert visitor.integration.id[:8] not in await visitor.look("/console/integrations")


async def test_a_change_is_saved_published_and_written_down(operator: Visitor) -> None:
    shown = await typed(operator, "/edit")
    await act(operator, "/edit", shown | {"name": "Northwind", "upgradeUrl": "https://host.example/change"}, "/edit")
    found = await operator.api.services.definitions.needed(operator.integration.id)
    assert (found.name, found.working.urls["upgradeUrl"]) == ("Northwind", "https://host.example/change")
    page = await operator.look(place(operator))
    assert "WORKING has changes that are not" in page
    differing = await operator.look(place(operator, "/revisions"))
    assert "1 field differs" in differing
    assert "https://host.example/change" in differing
    assert "said=published" in await act(operator, "/publish", {})
    assert "are the same" in await operator.look(place(operator, "/revisions"))
    assert [name for name, _ in await actions(operator)][-2:] == [
        "updateProductIntegration",
        "publishProductIntegration",
    ]


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(operator: Visitor) -> None:
    shown = await typed(operator, "/edit")
    wrong = {"createUrl": "ftp://host.example/", "filter": "{", "probeIntervalMinutes": "0"}
    page = await act(operator, "/edit", shown | wrong | {"filter": ""}, "/edit", 422)
    assert "Nothing was saved" in page
    assert 'value="ftp://host.example/"' in page
    assert page.count('aria-invalid="true"') == 2
    unreadable = await act(operator, "/edit", shown | wrong, "/edit", 422)
    assert "This cannot be read" in unreadable
    found = await operator.api.services.definitions.needed(operator.integration.id)
    assert found.working.urls == operator.integration.working.urls


async def test_a_change_by_somebody_else_meanwhile_is_told(operator: Visitor) -> None:
    shown, hidden = await typed(operator, "/limits"), await form_of(operator, place(operator, "/limits"))
    services = operator.api.services
    await services.definitions.save(operator.integration, operator.integration.modified_ms)
    other = hidden | {"modified": "1"}
    answer = await operator.send(place(operator, "/limits"), shown | other | {"concurrency": "5"})
    assert answer.status == 409
    assert "Nothing was saved" in await answer.text()


async def test_a41_linked_to_two_products_it_is_read_only_here(operator: Visitor) -> None:
    shown, hidden = await typed(operator, "/edit"), await form_of(operator, place(operator, "/edit"))
    await act(operator, "/link", {"productId": "P-2"})
    for tab in ("/edit", "/credentials", "/limits"):
        page = await operator.look(place(operator, tab))
        assert "Read-only here" in page
        assert ">Save" not in page
        answer = await operator.send(place(operator, tab), hidden | shown | {"name": "other"})
        assert answer.status == 403
    await act(operator, "/unlink", {"productId": "P-2"})
    assert ">Save" in await operator.look(place(operator, "/edit"))


async def test_credentials_are_tried_and_secrets_stay_hidden(operator: Visitor) -> None:
    given = {"outboundCredentials.type": "BASIC", "outboundCredentials.clientId": "us"}
    given["outboundCredentials.clientSecret"] = "very-secret-word"
    shown = await typed(operator, "/credentials")
    page = await act(operator, "/credentials", shown | given | {"do": "try"}, "/credentials", 200)
    assert "very-secret-word" not in page
    assert "Save what was tried" in page
    draft = dict(re.findall(r'name="(draft|form|modified)" value="([^"]*)"', page))
    answer = await operator.send(place(operator, "/credentials"), shown | draft | {"do": "anyway"})
    assert answer.status == 303, await answer.text()
    found = await operator.api.services.definitions.needed(operator.integration.id)
    assert found.working.credentials.type is CredentialType.BASIC
    assert "very-secret-word" not in await operator.look(place(operator, "/credentials"))
    sealed = found.working.credentials.client_secret
    await act(operator, "/credentials", await typed(operator, "/credentials") | {"do": "save"}, "/credentials")
    after = await operator.api.services.definitions.needed(operator.integration.id)
    assert after.working.credentials.client_secret == sealed


async def test_a_rotation_shows_its_secret_once_and_counts_down(operator: Visitor) -> None:
    page = await act(operator, "/keys/rotate", {"algorithm": "HMAC", "overlap": "24"}, "/keys", 200)
    secret = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert len(secret) == 1
    await act(operator, "/keys/rotate", {"algorithm": "HMAC", "overlap": "24"}, "/keys", 200)
    page = await operator.look(place(operator, "/keys"))
    assert "ends in 1 d" in page
    assert secret[0] not in page
    assert "said=scheduled" in await act(operator, "/keys/schedule", {"everyDays": "30"}, "/keys")
    assert "Every 30 days" in await operator.look(place(operator, "/keys"))


async def test_a_ping_is_asked_for_and_followed(operator: Visitor) -> None:
    path = await act(operator, "/pings", {}, "/pings")
    page = await operator.look(path)
    assert 'http-equiv="refresh"' in page
    assert "SUBSCRIPTION_ORDER" in page
    assert "triggerProductIntegrationPingTest" in [name for name, _ in await actions(operator)]
    await operator.look(place(operator, "/pings/nothing"), 404)


async def test_g5_ninety_days_are_one_strip(operator: Visitor) -> None:
    pings, now_ms = operator.api.services.definitions.pings, operator.api.clock.now_ms()
    outcomes = (PingStatus.PASSED, PingStatus.PASSED, PingStatus.FAILED)
    for n, status in enumerate(outcomes):
        test = PingTest(f"t{n}", PingVersion.PUBLISHED, PingStatus.RUNNING, now_ms, 1)
        await pings.add(operator.integration.id, test)
        ended: Any = PingTest(f"t{n}", PingVersion.PUBLISHED, status, now_ms, 1, now_ms)
        assert await pings.replace(operator.integration.id, ended)
    page = await operator.look(place(operator, "/pings"))
    assert "66.7 % of 3 passed in 90 days" in page
    assert page.count("no test</span>") == 89
    assert "2 of 3 passed" in page


async def test_a_url_that_was_gone_is_enabled_again(operator: Visitor) -> None:
    queue = operator.api.services.queue
    await queue.suspend_url(operator.integration.id, "https://host.example/hook")
    assert "Enable SUBSCRIPTION_ORDER" in await operator.look(place(operator, "/urls"))
    await act(operator, "/urls/enable", {"eventType": "SUBSCRIPTION_ORDER"}, "/urls")
    assert await queue.suspended_urls(operator.integration.id) == {}
    assert "Every URL is sent to" in await operator.look(place(operator, "/urls"))


async def typed(visitor: Visitor, tab: str) -> dict[str, str]:
    """Fields that a browser sends of the form of a tab that nobody touched."""
    page = await visitor.look(place(visitor, tab))
    fields: dict[str, str] = {}
    for element in re.findall(r'<input type="(?:text|url)"[^>]*>', page):
        name, value = re.search(r' name="([^"]*)"', element), re.search(r' value="([^"]*)"', element)
        fields[name[1] if name else ""] = value[1] if value else ""
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', page):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    for name in re.findall(r'<textarea[^>]* name="([^"]*)"', page):
        fields[name] = ""
    return fields

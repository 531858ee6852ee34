"""Hosts that were written for marketplaces of old: GET with ``?eventUrl=``, read there, the result in that answer.

The host below follows what such marketplaces publish for their developers: it is called with a bearer token, reads
the event as XML or JSON at ``eventUrl`` with credentials that it was given, and answers ``<result>`` or JSON.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.model.integration import AnswerMode, NotificationStyle
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.ports import free_port
from tests.serving import serving
from tests.worker.conftest import SECRET, Shop

GET = NotificationStyle.EVENT_URL_GET
ORDER = EventType.SUBSCRIPTION_ORDER


@dataclass(slots=True)
class OlderHost:
    """``wants``: the media type that it reads events in, and answers in."""

    wants: str
    client: tuple[str, str] = ("", "")
    later: bool = False
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, Authorization and body of each call."""
    report: tuple[str, dict[str, str], dict[str, object]] = ("", {}, {})
    """The result to report later: where, with which headers, and what."""

    async def create(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.headers["Authorization"], await request.read()))
        assert_signed(request)
        event_url = request.query["eventUrl"]
        async with aiohttp.ClientSession(headers={"Accept": self.wants}) as session:
            bearer = await self._bearer(session, event_url)
            async with session.get(event_url, headers=bearer) as answer:
                assert answer.status == 200
                company = self._company(await answer.text())
            if self.later:
                result = {"success": True, "accountIdentifier": company}
                self.report = (f"{event_url}/result", bearer, result)
                return web.Response(status=202)
        return self._answer(company)

    async def _bearer(self, session: aiohttp.ClientSession, event_url: str) -> dict[str, str]:
        base = event_url.partition("/api/")[0]
        form, auth = {"grant_type": "client_credentials"}, aiohttp.encode_basic_auth(*self.client)
        async with session.post(f"{base}/oauth2/token", data=form, headers={"Authorization": auth}) as answer:
            return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

    def _company(self, text: str) -> str:
        if self.wants == "application/json":
            return str(json.loads(text)["payload"]["company"]["uuid"])
        return ElementTree.fromstring(text).findtext("payload/company/uuid") or ""

    def _answer(self, company: str) -> web.Response:
        if self.wants == "application/json":
            return web.json_response({"success": "true", "accountIdentifier": company, "message": "made"})
        text = f"<result><success>true</success><accountIdentifier>{company}</accountIdentifier></result>"
        return web.Response(text=text, content_type="text/xml")


def assert_signed(request: web.Request) -> None:
    """The signature is that of an empty body."""
    signed_at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = Webhook(SECRET).sign(request.headers["webhook-id"], signed_at, "")
    assert request.headers["webhook-signature"] == expected


@asynccontextmanager
async def api_beside(shop: Shop) -> AsyncIterator[None]:
    """An API at the address that notifications name."""
    port = free_port()
    shop.settings = shop.settings.model_copy(update={"public_base_url": f"http://127.0.0.1:{port}"})
    async with serving(await shop.built_api(), port):
        yield


@asynccontextmanager
async def selling(shop: Shop, host: OlderHost) -> AsyncIterator[str]:
    """An order for the host, whose worker and API are at work; the event's id."""
    app = web.Application()
    app.router.add_get("/create", host.create)
    async with api_beside(shop), serving(app) as port:
        urls = {"createUrl": f"http://127.0.0.1:{port}/create?tenant=7"}
        integration = await shop.integration(urls, oauth2=True, style=GET, answers=AnswerMode.RESULT)
        pair = await generate_inbound_client(shop.definitions, integration.id, 3)
        host.client = (pair.client_id, pair.client_secret)
        event_id = await shop.emit(integration, kind=ORDER, payload={"company": {"uuid": "206123"}})
        await shop.work()
        yield event_id
        await shop.stop_all()


@pytest.mark.parametrize("media", ["application/xml", "application/json"])
async def test_an_older_host_reads_the_event_and_answers_with_its_result(shop: Shop, media: str) -> None:
    host = OlderHost(media)
    async with selling(shop, host) as event_id:
        stored = await shop.ended(event_id)
        assert (stored.state.status, stored.state.account_identifier) == (Status.SUCCEEDED, "206123")
        assert host.asked == [("GET", "Bearer token-1", b"")]
        (attempt,) = await shop.attempts([event_id])
        assert attempt.url.endswith(f"/create?tenant=7&eventUrl=http%3A%2F%2F127.0.0.1%3A{_port(shop)}"
                                    f"%2Fapi%2Fintegration%2Fv1%2Fevents%2F{event_id}")  # fmt: skip


async def test_an_older_host_may_report_later(shop: Shop) -> None:
    host = OlderHost("application/xml", later=True)
    async with selling(shop, host) as event_id:
        await shop.status(event_id, Status.AWAITING_RESULT)
        url, headers, result = host.report
        async with aiohttp.ClientSession() as session, session.post(url, json=result, headers=headers) as answer:
            assert answer.status == 200
        assert (await shop.ended(event_id)).state.account_identifier == "206123"


def _port(shop: Shop) -> str:
    return str(shop.settings.public_base_url).rpartition(":")[2]


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b'{"success":false,"errorCode":"USER_ALREADY_EXISTS","message":"Taken"}'),
        Reply(200, b"<result><success>false</success><errorCode>USER_ALREADY_EXISTS</errorCode>"
                   b"<message>Taken</message></result>", {"Content-Type": "application/xml"}),
    ],
    ids=["json", "xml"],
)  # fmt: skip
async def test_an_older_host_refuses_in_its_first_answer(shop: Shop, answer: Reply) -> None:
    shop.host.replies.append(answer)
    event_id = await shop.emit(await shop.integration(style=GET))
    await shop.work()
    state = (await shop.ended(event_id)).state
    assert (state.status, state.error_code, state.error_message) == (Status.FAILED, "USER_ALREADY_EXISTS", "Taken")


async def test_a_retry_asks_for_the_same_event_url_again(shop: Shop) -> None:
    shop.host.replies.append(Reply(503))
    event_id = await shop.emit(await shop.integration(style=GET))
    await shop.work()
    assert (await shop.ended(event_id)).state.attempts == 2
    first, second = shop.host.requests
    assert (
        first.path
        == second.path
        == (f"/notifications?eventUrl=http%3A%2F%2Fdispatcher.test%2Fapi%2Fintegration%2Fv1%2Fevents%2F{event_id}")
    )
    assert "Content-Type" not in first.headers
    assert first.headers["webhook-id"] == event_id


async def test_an_event_url_that_is_gone_is_suspended_as_it_is_configured(shop: Shop) -> None:
    shop.host.replies.append(Reply(410))
    integration = await shop.integration(style=GET)
    first = await shop.emit(integration)
    await shop.work()
    await shop.ended(first)
    await shop.status(await shop.emit(integration, account="B"), Status.HELD)
    assert len(shop.host.requests) == 1


async def test_steps_of_an_installation_are_posted_to_older_hosts_too(shop: Shop) -> None:
    integration = await shop.integration(style=GET)
    event_id = await shop.emit(integration, kind=sorted(STEP_TYPES)[0], payload={"function": "verify"})
    await shop.work()
    await shop.ended(event_id)
    (request,) = shop.host.requests
    assert (request.method, request.path) == ("POST", "/notifications")
    assert request.json["payload"]["function"] == "verify"

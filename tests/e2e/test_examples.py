"""The examples keep the promises that they are copied for, and work together through a real dispatcher."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient, AiohttpServer
from standardwebhooks import Webhook

from dispatcher.sample_host_application import HostApplication
from examples.host_application import serve
from examples.marketplace_backend import Backend, NotAccepted
from examples.operations_to_chat import Forwarder
from examples.product_host import ProductHost
from tests.ports import free_port
from tests.programs import DEADLINE_S, Program, dispatcher_command, ran
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ADMIN = ("admin", "a-secret-for-tests")
ORDER = {"id": "e-1", "type": "SUBSCRIPTION_ORDER", "flag": None, "accountId": "acme"}


def signed(body: bytes, secret: str = SECRET, msg_id: str = "e-1", age_s: float = 0) -> dict[str, str]:
    """Headers as the reference library makes them."""
    moment = datetime.now(tz=UTC) - timedelta(seconds=age_s)
    return {
        "webhook-id": msg_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(msg_id, moment, body.decode()),
    }


async def test_host_works_once_for_an_event_that_comes_twice(aiohttp_client: AiohttpClient) -> None:
    host = ProductHost(SECRET)
    client = await aiohttp_client(host.app())
    body = json.dumps(ORDER).encode()
    answers = [await client.post("/notifications", data=body, headers=signed(body)) for _ in range(2)]
    assert [await answer.json() for answer in answers] == [
        {"success": True, "accountIdentifier": "account-of-acme"},
        {"success": True, "accountIdentifier": "account-of-acme"},
    ]
    assert list(host.done) == ["e-1"]


async def test_host_answers_a_test_without_working(aiohttp_client: AiohttpClient) -> None:
    host = ProductHost(SECRET)
    client = await aiohttp_client(host.app())
    body = json.dumps(ORDER | {"flag": "STATELESS"}).encode()
    answer = await client.post("/notifications", data=body, headers=signed(body))
    assert (answer.status, host.done) == (200, {})


async def test_host_answers_a_forged_notification_with_401(aiohttp_client: AiohttpClient) -> None:
    host = ProductHost(SECRET)
    client = await aiohttp_client(host.app())
    answer = await client.post("/notifications", data=b"{}", headers=signed(b"{} "))
    assert (answer.status, host.done) == (401, {})


class Api:
    """Gives tokens, and answers emissions with ``statuses`` one after another."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.keys: list[str] = []
        self.tokens = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/oauth2/token", self.token)
        app.router.add_post("/v1/events", self.emit)
        return app

    async def token(self, request: web.Request) -> web.Response:
        self.tokens += 1
        return web.json_response({"access_token": f"t-{self.tokens}", "expires_in": 600})

    async def emit(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        status = self.statuses.pop(0)
        errors = [{"code": "product_not_linked", "message": "Link it.", "field": None}]
        return web.json_response({"id": "e-1"} if status == 202 else {"errors": errors}, status=status)


@pytest.mark.parametrize(("statuses", "tokens"), [((202,), 1), ((503, 500, 202), 1), ((401, 202), 2), ((429, 202), 1)])
async def test_backend_repeats_with_the_same_key_until_it_has_an_answer(
    statuses: tuple[int, ...], tokens: int, aiohttp_server: AiohttpServer
) -> None:
    api = Api(*statuses)
    server = await aiohttp_server(api.app())
    async with aiohttp.ClientSession() as session:
        backend = Backend(session, str(server.make_url("")).rstrip("/"), *ADMIN)
        assert (await backend.emit({"type": "create"}, "order-1"))["id"] == "e-1"
    assert api.keys == ["order-1"] * len(statuses)
    assert api.tokens == tokens


async def test_backend_does_not_repeat_what_is_refused(aiohttp_server: AiohttpServer) -> None:
    api = Api(422)
    server = await aiohttp_server(api.app())
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NotAccepted, match="product_not_linked: Link it"):
            await Backend(session, str(server.make_url("")).rstrip("/"), *ADMIN).emit({}, "order-1")


def call(url: str, body: bytes, **headers: str) -> Any:
    with urlopen(Request(url, body, headers), timeout=DEADLINE_S) as answer:
        return json.load(answer)


class Publisher:
    """Defines integrations over GraphQL."""

    def __init__(self, url: str) -> None:
        form = f"grant_type=client_credentials&client_id={ADMIN[0]}&client_secret={ADMIN[1]}"
        self._url = url
        self._token = call(f"{url}/oauth2/token", form.encode())["access_token"]

    def mutate(self, name: str, wanted: str, /, **fields: str) -> Any:
        """Run one mutation whose input holds ``fields``; what it answers, ``wanted`` of it."""
        kind = name[0].upper() + name[1:] + "Input"
        text = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {wanted} userErrors {{ code message }} }} }}"
        body = json.dumps({"query": text, "variables": {"input": fields}}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = call(f"{self._url}/graphql", body, **headers)["data"][name]
        assert answer["userErrors"] == []
        return answer

    def integration(self, create_url: str, product_id: str) -> dict[str, str]:
        """Make, publish and link one; the options that the example host needs."""
        made = self.mutate(
            "createProductIntegration",
            "productIntegration { id } signingSecret",
            name="Example",
            createUrl=create_url,
            answers="result",
        )
        found = made["productIntegration"]["id"]
        self.mutate("publishProductIntegration", "", integrationId=found)
        self.mutate("linkProductIntegration", "", integrationId=found, productId=product_id)
        client = self.mutate("generateProductIntegrationInboundClient", "clientId clientSecret", id=found)
        return {
            "secret": made["signingSecret"],
            "client-id": client["clientId"],
            "client-secret": client["clientSecret"],
        }


async def emit_by_example(url: str) -> str:
    """Run the backend; what it printed."""
    command = (sys.executable, "examples/marketplace_backend.py", "--product=shop", "--account=acme", "--order=o-1")
    done = await ran(command, ROOT, {"DISPATCHER_URL": url, "CLIENT_ID": ADMIN[0], "CLIENT_SECRET": ADMIN[1]})
    assert done.status == 0, done
    return done.out


@pytest.mark.slow
async def test_backend_host_and_dispatcher_tell_one_story() -> None:
    """Emitted twice with one key, answered 202, reported later, worked for once."""
    with tempfile.TemporaryDirectory(prefix="de-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        settings = {"DISPATCHER_DATA_DIR": str(folder / "data")}
        settings |= {"DISPATCHER_ADMIN_CLIENT_ID": ADMIN[0], "DISPATCHER_ADMIN_CLIENT_SECRET": ADMIN[1]}
        async with Program(folder, dispatcher_command("dev", "--port", "0"), settings) as dev:
            url = await dev.heard(r"listening on (\S+)")
            given = Publisher(url).integration(f"http://127.0.0.1:{port}/notifications", "shop")
            options = [f"--{name}={value}" for name, value in {"port": port, "dispatcher": url, **given}.items()]
            async with Program(folder, (sys.executable, "examples/product_host.py", *options), {}, cwd=ROOT) as host:
                told = [await emit_by_example(url) for _ in range(2)]
                assert re.fullmatch(r"accepted (\S+)\nSUCCEEDED after [12] attempt\(s\)\n", told[0]), told
                assert told[1] == told[0].replace("\nSUCCEEDED", " before\nSUCCEEDED")
                assert host.said().count("SUBSCRIPTION_ORDER of acme, new") == 1
                await host.heard("(result reported)")


async def test_an_operational_event_becomes_one_chat_message(
    aiohttp_client: AiohttpClient, aiohttp_server: AiohttpServer
) -> None:
    said: list[str] = []
    answers = [500, 200]

    async def chat(request: web.Request) -> web.Response:
        said.append((await request.json())["text"])
        return web.Response(status=answers.pop(0))

    room = web.Application()
    room.router.add_post("/hook", chat)
    server = await aiohttp_server(room)
    client = await aiohttp_client(Forwarder(SECRET, str(server.make_url("/hook"))).app())
    body = json.dumps({"id": "e-1", "type": "circuit.opened", "data": {"integrationId": "i-1", "count": 1}}).encode()
    taken = [(await client.post("/", data=body, headers=signed(body))).status for _ in range(3)]
    assert taken == [503, 200, 200]
    assert said == ["i-1 cannot be reached; its events wait, none is lost."] * 2
    assert (await client.post("/", data=b"{}", headers=signed(body))).status == 401


async def test_the_host_application_asks_for_a_link_when_its_user_clicks_connect(
    aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []

    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": f"token of {(await request.post())['client_id']!s}"})

    async def link(request: web.Request) -> web.Response:
        asked.append({"Authorization": request.headers["Authorization"], **await request.json()})
        return web.json_response({"AccountId": "acct-1", "MarketplaceUrl": "http://dispatcher.example/link"})

    app = web.Application()
    app.router.add_post("/oauth/token", token)
    app.router.add_post("/v1.0/users/marketplace", link)
    dispatcher = await aiohttp_server(app)
    application = HostApplication(str(dispatcher.make_url("/")), "shop", "secret", 27)
    serving = asyncio.create_task(serve(application))
    await until(lambda: "click Connect" in capsys.readouterr().out)
    async with aiohttp.ClientSession() as session:
        for inline in (True, False):
            async with session.post(f"{application.url}/connect", json={"inline": inline}) as answer:
                assert await answer.json() == {"url": "http://dispatcher.example/link"}
    serving.cancel()
    await asyncio.wait([serving])
    assert [(one["MarketplaceId"], one["InlineOAuth"], one.get("AccountId")) for one in asked] == [
        (27, True, None),
        (27, False, "acct-1"),
    ]
    assert {one["Authorization"] for one in asked} == {"Bearer token of shop"}

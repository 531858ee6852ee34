"""Ping tests as people meet them: the API and a worker as processes, a real host, GraphQL and the command line."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dispatcher.client import Client
from dispatcher.sample_host import SampleHost
from dispatcher.store.secrets.sealing import new_key
from tests.e2e.command_line import Shell
from tests.hosts import ProductHost, Reply
from tests.waiting import until

pytestmark = pytest.mark.slow

CREATE = """mutation Create($input: CreateProductIntegrationInput!) {
  createProductIntegration(input: $input) { productIntegration { id } signingSecret userErrors { message } } }"""
PING = """mutation Ping($id: ID!, $more: [ProductIntegrationEventType!]) {
  triggerProductIntegrationPingTest(input: {id: $id, version: WORKING, eventTypes: $more}) {
    productIntegration { id version type } } }"""
LAST = """query Last($id: ID!) { productIntegration(id: $id) { lastTest { status
  results { eventType status httpStatus success errorCode } } } }"""
TRY = """mutation Try($input: TestProductIntegrationCredentialsInput!) {
  testProductIntegrationCredentials(input: $input) { success errorCode message userErrors { message } } }"""


@dataclass
class Place:
    """`dispatcher dev` in an empty folder, and who may ask it."""

    shell: Shell
    client: Client

    async def create(self, **fields: Any) -> tuple[str, str]:
        """Id and signing secret."""
        made = (await self.client.graphql(CREATE, {"input": fields}))["createProductIntegration"]
        assert made["userErrors"] == []
        return made["productIntegration"]["id"], made["signingSecret"]

    async def last_test(self, own_id: str) -> Any:
        async def ended() -> Any:
            test = (await self.client.graphql(LAST, {"id": own_id}))["productIntegration"]["lastTest"]
            return test if test is not None and test["status"] != "RUNNING" else None

        return await until(ended, 20)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    shell = Shell(tmp_path)
    async with shell.running("dev", DISPATCHER_PORT="0", DISPATCHER_ALLOW_NETWORKS="127.0.0.0/8") as dev:
        address = await dev.heard(r"listening on (\S+)")
        admin = json.loads((tmp_path / ".dispatcher/admin.json").read_text())
        async with Client(address, admin["clientId"], admin["clientSecret"]) as client:
            yield Place(shell, client)


def credentials(host: SampleHost) -> dict[str, Any]:
    return {
        "type": "OAUTH2",
        "clientId": host.client_id,
        "clientSecret": host.client_secret,
        "tokenUri": host.token_url,
        "grantType": "client_credentials",
    }


async def test_ping_is_answered_at_once_and_its_outcome_shows_as_last_test(place: Place) -> None:
    async with ProductHost() as host:
        own_id, _ = await place.create(createUrl=host.url("/create"), assignUrl=host.url("/assign"))
        answer = await place.client.graphql(PING, {"id": own_id})
        shown = answer["triggerProductIntegrationPingTest"]["productIntegration"]
        assert shown == {"id": own_id, "version": "WORKING", "type": "FULL_INTEGRATION"}
        test = await place.last_test(own_id)
        assert test["status"] == "PASSED"
        assert [one["eventType"] for one in test["results"]] == ["SUBSCRIPTION_ORDER", "USER_ASSIGNMENT"]
        assert {one.json["flag"] for one in host.requests} == {"STATELESS"}
        events = [event async for event in place.client.events({})]
        assert events == []
        host.default = Reply(404, b"")
        await place.client.graphql(PING, {"id": own_id, "more": ["SUBSCRIPTION_ORDER"]})

        async def failed() -> bool:
            return bool((await place.last_test(own_id))["status"] == "FAILED")

        await until(failed)


async def test_command_shows_each_step_and_exits_by_the_outcome(place: Place) -> None:
    async with SampleHost() as host:
        own_id, secret = await place.create(createUrl=host.notification_url(), outboundCredentials=credentials(host))
        refused = await place.shell.quick("ping", own_id)
        assert refused.status == 1
        assert "HTTP 401" in refused.out
        assert "→" in refused.out
        host.trust(secret)
        passed = await place.shell.quick("ping", own_id, "--type", "create", "--security")
        assert passed.status == 0, passed.out + passed.err
        for word in ("DNS", "ADDRESS", "CONNECT", "TLS", "TOKEN", "POST", "ANSWER", "SECURITY", "FORGED_SIGNATURE"):
            assert word in passed.out
        assert passed.out.rstrip().endswith("PASSED  1 of 1 URLs passed, 4 of 4 security checks passed")
        found = await place.shell.quick("ping", own_id, "--json", "--version", "working")
        assert found.json()["results"][0]["httpStatus"] == 200
        for arguments, status in (
            ([own_id, "--type", "nonsense"], 2),
            (["nobody"], 1),
            ([own_id, "--version", "PUBLISHED"], 1),
        ):
            assert (await place.shell.quick("ping", *arguments)).status == status


async def test_host_that_takes_forgeries_fails_on_the_command_line(place: Place) -> None:
    async with ProductHost() as host:
        own_id, _ = await place.create(createUrl=host.url())
        ran = await place.shell.quick("ping", own_id, "--security")
        assert ran.status == 1
        assert "Verify webhook-signature" in ran.out


async def test_credentials_are_tried_by_the_worker_before_they_are_saved(place: Place) -> None:
    async with SampleHost() as host:
        good = {"input": {"outboundCredentials": credentials(host)}}
        told = (await place.client.graphql(TRY, good))["testProductIntegrationCredentials"]
        assert (told["success"], told["userErrors"]) == (True, [])
        wrong = credentials(host) | {"clientSecret": "wrong"}
        told = (await place.client.graphql(TRY, {"input": {"outboundCredentials": wrong}}))[
            "testProductIntegrationCredentials"
        ]
        assert (told["success"], told["errorCode"]) == (False, "UNAUTHORIZED")


async def test_ping_of_a_stopped_worker_is_run_by_the_next(tmp_path: Path) -> None:
    shell, key = Shell(tmp_path), new_key()
    settings = {
        "DISPATCHER_SECRET_KEYS": key,
        "DISPATCHER_ALLOW_NETWORKS": "127.0.0.0/8",
        "DISPATCHER_ADMIN_CLIENT_ID": "admin",
        "DISPATCHER_ADMIN_CLIENT_SECRET": "admin-secret-for-tests",
        "DISPATCHER_DRAIN_TIMEOUT": "0",
    }
    async with (
        ProductHost(Reply(hang=True)) as host,
        shell.running("serve", DISPATCHER_PORT="0", **settings) as api,
    ):
        address = await api.heard(r"listening on (\S+)")
        async with Client(address, "admin", "admin-secret-for-tests") as client:
            place = Place(shell, client)
            own_id, _ = await place.create(createUrl=host.url())
            async with shell.running("worker", **settings) as first:
                await first.heard(r"(worker started)")
                await client.graphql(PING, {"id": own_id})
                await host.wait_for(1)
                await first.stop(signal.SIGTERM)
            host.default = Reply()
            async with shell.running("worker", **settings):
                test = await place.last_test(own_id)
    assert test["status"] == "PASSED"

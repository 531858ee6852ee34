"""A developer's machine, for tests of verbs. Holds no test."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.client import Client
from dispatcher.sample_host import SampleHost
from tests.e2e.command_line import Shell
from tests.programs import Program, Ran

CREATE = """mutation Create($input: CreateProductIntegrationInput!) {
  createProductIntegration(input: $input) { productIntegration { id } signingSecret } }"""
PUBLISH_AND_LINK = """mutation Publish($id: ID!) {
  publishProductIntegration(input: {integrationId: $id}) { userErrors { message } }
  linkProductIntegration(input: {integrationId: $id, productId: "P"}) { userErrors { message } } }"""


class Town:
    """A developer's machine: `dev` runs, a host listens, product P leads to it. Two attempts are all an event gets."""

    def __init__(self, shell: Shell, host: SampleHost, address: str) -> None:
        self.shell, self.host, self.address = shell, host, address

    async def run(self, *arguments: str, stdin: bytes = b"") -> Ran:
        return await self.shell.quick(*arguments, stdin=stdin)

    async def emitted(self, *arguments: str) -> dict[str, Any]:
        ran = await self.run("emit", *arguments, "--product", "P", "--json")
        return dict(ran.json())

    async def dead(self, *arguments: str) -> str:
        """An event that its host sent away twice."""
        self.host.be_unavailable(2)
        event = await self.emitted("assign", "--wait", *arguments)
        assert event["status"] == "DEAD"
        return str(event["id"])


def developing(shell: Shell) -> Program:
    return shell.running("dev", DISPATCHER_PORT="0", DISPATCHER_RETRY_SCHEDULE="0.05")


async def settled(shell: Shell, host: SampleHost, dev: Program) -> Town:
    """``dev`` runs, and product P leads to ``host``."""
    address = await dev.heard(r"listening on (\S+)")
    await dev.heard(r"(worker started)")
    admin = json.loads((shell.folder / ".dispatcher/admin.json").read_text())
    async with Client(address, admin["clientId"], admin["clientSecret"]) as client:
        await define(client, host)
    return Town(shell, host, address)


async def define(client: Client, host: SampleHost) -> None:
    fields = ("createUrl", "upgradeUrl", "cancelUrl", "notifyUrl", "assignUrl", "unassignUrl")
    credentials = {
        "type": "OAUTH2",
        "clientId": host.client_id,
        "clientSecret": host.client_secret,
        "tokenUri": host.token_url,
        "grantType": "client_credentials",
    }
    urls = {field: host.notification_url() for field in fields}
    created = await client.graphql(CREATE, {"input": {"name": "Test", **urls, "outboundCredentials": credentials}})
    host.trust(created["createProductIntegration"]["signingSecret"])
    await client.graphql(PUBLISH_AND_LINK, {"id": created["createProductIntegration"]["productIntegration"]["id"]})

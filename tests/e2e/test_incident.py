"""An incident played in the terminal, as docs/operations.md tells it: named, understood, held, mended, recovered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatcher.client import Client
from tests.e2e.command_line import Shell
from tests.hosts import ProductHost
from tests.waiting import until

pytestmark = pytest.mark.slow

ACCOUNTS = 14
"""More than the transport failures in a row that open a circuit."""


async def kinds(shell: Shell) -> set[str]:
    return {problem["kind"] for problem in (await shell.quick("status", "--json")).json()["problems"]}


async def test_a_host_that_is_down_is_named_held_and_recovered_in_four_commands(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    settings = {"DISPATCHER_PORT": "0", "DISPATCHER_RETRY_SCHEDULE": "600", "DISPATCHER_CIRCUIT_OPEN": "1"}
    async with ProductHost() as host, shell.running("dev", **settings) as dev:
        address = await dev.heard(r"listening on (\S+)")
        await dev.heard(r"(worker started)")
        await shell.quick("integrations", "create", "--name", "Acme", "--set", f"createUrl={host.url()}")
        await shell.quick("integrations", "publish", "Acme")
        await shell.quick("integrations", "link", "Acme", "shop")
        await host.stop()
        admin = json.loads((tmp_path / ".dispatcher/admin.json").read_text())
        async with Client(address, admin["clientId"], admin["clientSecret"]) as client:
            orders = [{"type": "create", "productId": "shop", "accountId": f"acme-{n}"} for n in range(ACCOUNTS)]
            ids = {(await client.emit(order))["id"] for order in orders}

        async def named() -> bool:
            return "circuit_open" in await kinds(shell)

        await until(named)
        told = await shell.quick("status")
        assert (told.status, "Acme refuses connections since" in told.out) == (1, True)
        assert "dispatcher pause " in told.out
        assert (await shell.quick("pause", "Acme", "--reason", "host is down", "--for", "2h")).status == 0

        async def held() -> bool:
            said = await shell.quick("status", "--json")
            return said.status == 0 and {problem["kind"] for problem in said.json()["problems"]} == {"paused"}

        await until(held)
        assert len(host.requests) == 0
        await host.start(host.port)
        assert (await shell.quick("resume", "Acme")).status == 0
        assert (await shell.quick("deliver-now", "--integration", "Acme")).status == 0

        def recovered() -> bool:
            return {one.headers["webhook-id"] for one in host.requests} == ids

        await until(recovered)
        assert len(host.requests) == ACCOUNTS

        async def over() -> bool:
            return not await kinds(shell) & {"circuit_open", "paused"}

        await until(over)
        assert (await shell.quick("dead-letters")).err == "no dead letters\n"

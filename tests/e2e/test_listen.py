"""`dispatcher listen`: a developer's machine gets what a host gets, signed for it, and the host nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from tests.e2e.command_line import Shell
from tests.hosts import ProductHost, Received, Reply
from tests.ports import free_port
from tests.programs import Program
from tests.waiting import until

pytestmark = pytest.mark.slow


def is_genuine(got: Received, secret: str) -> bool:
    msg_id, timestamp, signature = (got.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    return verify([parse_secret(secret)], msg_id, timestamp, signature, got.body, now_s=float(timestamp)).genuine


async def emitted(shell: Shell, product: str, *more: str) -> str:
    ran = await shell.quick("emit", "create", "--product", product, "--account", "A", "--json", *more)
    assert "id" in ran.out, ran.err
    return str(ran.json()["id"])


async def until_handed(listening: Program, *event_ids: str) -> None:
    def handed() -> bool:
        lines = [line for line in listening.said().splitlines() if line.startswith("{")]
        return [json.loads(line)["eventId"] for line in lines] == [*event_ids]

    await until(handed, tell=listening.said)


async def test_each_event_reaches_both_hosts_once_across_restarts_of_either_side(tmp_path: Path) -> None:
    shell, settings = Shell(tmp_path), {"DISPATCHER_PORT": str(free_port())}
    async with ProductHost() as host, ProductHost(Reply(202)) as mine:
        to = ("listen", "--integration", "Acme", "--to", mine.url("/hook"), "--json")
        async with shell.running("dev", **settings) as dev:
            await dev.heard(r"(worker started)")
            url = f"createUrl={host.url()}"
            made = (await shell.quick("integrations", "create", "--name", "Acme", "--set", url, "--json")).json()
            await shell.quick("integrations", "publish", "Acme")
            await shell.quick("integrations", "link", "Acme", "P")
            async with shell.running(*to) as listening:
                secret = await listening.heard(r"secret  (\S+)")
                await listening.heard(r"(listening:)")
                ids = [await emitted(shell, "P", "--wait")]
                await until_handed(listening, *ids)
                await mine.stop()
                ids.append(await emitted(shell, "P", "--wait"))
                await listening.heard(r"(trying again)")
                await mine.start(mine.port)
                await until_handed(listening, *ids)
                await dev.stop()
                await listening.heard(r"(connection lost)")
                async with shell.running("dev", **settings) as dev_again:
                    await dev_again.heard(r"(worker started)")
                    ids.append(await emitted(shell, "P", "--wait"))
                    await until_handed(listening, *ids)
                    assert await listening.stop() == 0
                    ids.append(await emitted(shell, "P", "--wait"))
                    async with shell.running(*to) as listening_again:
                        await until_handed(listening_again, ids[-1])
                        assert await listening_again.heard(r"secret  (\S+)") == secret
    assert [one.headers["webhook-id"] for one in mine.requests] == ids
    assert [one.headers["webhook-id"] for one in host.requests] == ids
    for ours, theirs in zip(mine.requests, host.requests, strict=True):
        assert (ours.body, ours.headers["x-event-type"]) == (theirs.body, "SUBSCRIPTION_ORDER")
        assert is_genuine(ours, secret)
        assert not is_genuine(ours, made["signingSecret"])
        assert is_genuine(theirs, made["signingSecret"])


async def test_a_product_that_leads_nowhere_is_listened_to_and_left_as_it_was(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    async with ProductHost(Reply.of(200, {"success": True})) as mine, shell.running("dev", DISPATCHER_PORT="0") as dev:
        await dev.heard(r"(worker started)")
        async with shell.running("listen", "--product", "Q", "--to", mine.url(), "--limit", "1") as listening:
            await listening.heard(r"(listening:)")
            event_id = await emitted(shell, "Q")
            assert await listening.heard(rf"{event_id}  A  → (200) in \d+ ms  .*success") == "200"
            assert await listening.ended() == 0
        assert (await shell.quick("integrations", "list", "--json")).json() == []
        alone = await shell.quick("listen", "--to", mine.url())
        assert (alone.status, "there is no integration to listen to" in alone.err) == (2, True)
        assert (await shell.quick("listen", "--to", "localhost:3000", "--product", "Q")).status == 2

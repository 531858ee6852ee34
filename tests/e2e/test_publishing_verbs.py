"""The verbs of publishers against a running `dispatcher dev`: no GraphQL, no HTTP by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispatcher.sample_host import SampleHost
from tests.e2e.command_line import Shell

pytestmark = pytest.mark.slow

SECRET = "a-secret-for-nobody"


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    """A folder in which `dispatcher dev` runs."""
    shell = Shell(tmp_path)
    async with shell.running("dev", DISPATCHER_PORT="0") as dev:
        await dev.until_said(r"listening on (\S+)")
        await dev.until_said(r"(worker started)")
        yield shell


async def test_an_integration_goes_from_nothing_to_delivered_events_in_the_shell(shell: Shell) -> None:
    assert "integrations create" in (await shell.quick("integrations", "list")).err
    async with SampleHost() as host:
        (shell.folder / "secret").write_text(f"{host.client_secret}\n")
        hook, gone = host.notification_url("hook"), host.notification_url("gone")
        made = await shell.quick(
            *("integrations", "create", "--name", "Acme", "--to", hook, "--json"),
            *("--set", f"cancelUrl={gone}", "--set", "concurrency=3"),
            *("--set", "outboundCredentials.type=OAUTH2", "--set", f"outboundCredentials.tokenUri={host.token_url}"),
            *("--set", f"outboundCredentials.clientId={host.client_id}"),
            *("--set", f"outboundCredentials.clientSecret=@{shell.folder / 'secret'}"),
        )
        host.trust(made.json()["signingSecret"])
        definition = made.json()["definition"]
        assert (definition["createUrl"], definition["cancelUrl"]) == (hook, gone)
        any_id = definition["id"]
        unpublished = await shell.quick("integrations", "link", any_id, "P")
        assert (unpublished.status, "Publish" in unpublished.err) == (1, True)
        assert (await shell.quick("integrations", "publish", any_id)).out == f"{any_id} published as revision 1\n"
        assert (await shell.quick("integrations", "link", any_id, "P")).out == f"{any_id} hears of product P\n"
        emitted = await shell.quick("emit", "cancel", "--product", "P", "--account", "A", "--wait", "--json")
        assert emitted.json()["status"] == "SUCCEEDED"
    shown = await shell.quick("integrations", "show", any_id)
    assert "outboundCredentials.clientSecret" in shown.out
    assert host.client_secret not in shown.out
    (listed,) = (await shell.quick("integrations", "list", "--json")).json()
    assert (listed["name"], listed["linkedProducts"], listed["publishedRevision"]) == ("Acme", ["P"], 1)


async def test_a_working_version_is_changed_and_deleted_in_the_shell(shell: Shell) -> None:
    made = await shell.quick("integrations", "create", "--name", "Acme", "--set", "rateLimit=5", "--json")
    any_id = made.json()["definition"]["id"]
    file = json.dumps({"retrySchedule": [1, 2]}).encode()
    changed = await shell.quick(
        "integrations", "update", any_id, "--file", "-", "--unset", "rateLimit", "--json", stdin=file
    )
    assert (changed.json()["definition"]["retrySchedule"], changed.json()["definition"]["rateLimit"]) == ([1, 2], None)
    refused = await shell.quick("integrations", "update", any_id, "--set", "ratelimit=5")
    assert (refused.status, "ratelimit" in refused.err) == (1, True)
    idle = await shell.quick("integrations", "update", any_id)
    assert (idle.status, "say what to change" in idle.err) == (2, True)
    assert (await shell.quick("integrations", "delete", any_id)).status == 0
    assert (await shell.quick("integrations", "show", any_id)).status == 1


async def test_the_queue_and_its_workers_are_shown(shell: Shell) -> None:
    queue = await shell.quick("queue")
    assert queue.out.startswith("0 ready; 0 waiting; 0 scheduled; 0 in flight; 0 dead letters")
    assert (await shell.quick("queue", "--json")).json()["workers"]
    (worker,) = (await shell.quick("workers", "--json")).json()
    shown = (await shell.quick("workers")).out
    assert worker["workerId"] in shown
    assert "ago" in shown

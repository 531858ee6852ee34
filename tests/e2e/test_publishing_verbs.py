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
        await dev.heard(r"listening on (\S+)")
        await dev.heard(r"(worker started)")
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
        acme = f"Acme ({any_id})"
        assert (await shell.quick("integrations", "publish", any_id)).out == f"{acme} published as revision 1\n"
        assert (await shell.quick("integrations", "link", any_id, "P")).out == f"{acme} hears of product P\n"
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
    assert (refused.status, "ratelimit" in refused.err) == (2, True)
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


async def test_h6_what_is_exported_changes_nothing_and_a_change_is_shown_first(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "secret").write_text("s3cret\n")
    await shell.quick(
        *("integrations", "create", "--name", "Acme", "--to", "https://host.example/hook"),
        *("--set", "outboundCredentials.type=BASIC", "--set", "outboundCredentials.clientId=me"),
        *("--set", f"outboundCredentials.clientSecret=@{shell.folder / 'secret'}"),
    )
    (made,) = (await shell.quick("integrations", "list", "--json")).json()
    await shell.quick("integrations", "publish", made["id"])
    await shell.quick("integrations", "link", made["id"], "P")
    acme = made["id"]
    exported = (await shell.quick("integrations", "export")).out
    assert "secret: ACME_OUTBOUNDCREDENTIALS_CLIENTSECRET" in exported
    assert "s3cret" not in exported
    file = shell.folder / "declared.yaml"
    file.write_text(exported)
    again = await shell.quick("integrations", "apply", str(file))
    assert (again.status, again.out, "nothing to change" in again.err) == (0, "", True)

    file.write_text(exported.replace("createUrl: https://host.example/hook", "createUrl: https://host.example/new"))
    shown = await shell.quick("integrations", "apply", str(file), "--dry-run")
    assert "    createUrl: https://host.example/hook → https://host.example/new\n" in shown.out
    assert shown.out.startswith("~ integration Acme\n")
    assert (await shell.quick("integrations", "show", made["id"], "--json")).json()["createUrl"].endswith("/hook")
    applied = await shell.quick("integrations", "apply", str(file))
    assert "2 changes made" in applied.err
    live = (await shell.quick("integrations", "show", made["id"], "--version", "published", "--json")).json()
    assert live["createUrl"] == "https://host.example/new"
    assert live["outboundCredentials"]["clientSecret"] == "******"
    assert (await shell.quick("integrations", "apply", str(file))).out == ""

    for value, made, revision in (("s3cret", "0 changes made", 2), ("another", "2 changes made", 3)):
        monkeypatch.setenv("ACME_OUTBOUNDCREDENTIALS_CLIENTSECRET", value)
        applied = await shell.quick("integrations", "apply", str(file))
        assert ("unchanged: integration Acme" in applied.err, made in applied.err) == (value == "s3cret", True)
        live = (await shell.quick("integrations", "show", acme, "--json")).json()
        assert live["publishedRevision"] == revision


async def test_h6_a_file_makes_everything_and_deletes_only_when_told(shell: Shell) -> None:
    file = shell.folder / "declared.yaml"
    file.write_text(
        """
integrations:
- name: Acme
  createUrl: https://host.example/hook
  published: true
  products: [P]
products:
- {id: P, name: Ledger}
marketplaces:
- {id: 27, name: Shop, productIds: [P]}
connectorTemplates:
- {name: Ledger, version: "1.0", authType: ApiKey, native: true}
"""
    )
    made = await shell.quick("integrations", "apply", str(file))
    assert "signing secret whsec_" in made.out
    assert "6 changes made" in made.err
    assert (await shell.quick("integrations", "apply", str(file))).out == ""
    file.write_text("integrations: []\n")
    assert (await shell.quick("integrations", "apply", str(file))).out == ""
    pruned = await shell.quick("integrations", "apply", str(file), "--prune", "--json")
    assert [step["sign"] for step in pruned.json()] == ["-"] * 4
    assert (await shell.quick("integrations", "list", "--json")).json() == []


async def test_h6_what_a_file_cannot_say_is_refused_before_anything_is_done(shell: Shell) -> None:
    file = shell.folder / "declared.yaml"
    wrong = {
        "integrations:\n- {name: A, creatUrl: x}\n": "creatUrl",
        "integrations:\n- {name: A}\n- {name: A}\n": "'A'",
        "integrations:\n- {name: A, name: B}\n": "given twice",
        "integrations: &a []\nproducts: *a\n": "aliases",
        "integration: []\n": "'integration'",
        "integrations:\n- {name: A, outboundCredentials: {type: BASIC, clientSecret: plain}}\n": "secret: NAME",
        "integrations:\n- {name: A, outboundCredentials: {type: BASIC, clientSecret: {secret: NO_SUCH}}}\n": "NO_SUCH",
        "marketplaces:\n- {name: Shop}\n": "id",
    }
    for text, word in wrong.items():
        file.write_text(text)
        refused = await shell.quick("integrations", "apply", str(file))
        assert (refused.status, refused.out, word in refused.err) == (2, "", True), (text, refused)
    assert (await shell.quick("integrations", "list", "--json")).json() == []

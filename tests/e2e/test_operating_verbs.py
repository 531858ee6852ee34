"""The verbs of operators against a running `dispatcher dev`: they look, hold back, and act on all that matches."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import Shell
from tests.hosts import ProductHost, Reply
from tests.programs import Ran
from tests.waiting import until

pytestmark = pytest.mark.slow


class Desk:
    """An operator's shell: integration Acme sends product P's events to a host; two attempts are all an event gets."""

    def __init__(self, shell: Shell, host: ProductHost, integration: str) -> None:
        self.shell, self.host, self.integration = shell, host, integration

    async def run(self, *arguments: str) -> Ran:
        return await self.shell.quick(*arguments)

    async def emitted(self, account: str, *more: str) -> dict[str, Any]:
        ran = await self.run("emit", "notify", "--product", "P", "--account", account, "--json", *more)
        return dict(ran.json())

    async def dead(self, account: str) -> str:
        self.host.replies.extend([Reply(503)] * 2)
        event = await self.emitted(account, "--wait")
        assert event["status"] == "DEAD"
        return str(event["id"])

    async def until_status(self, event_id: str, status: str) -> None:
        async def is_so() -> bool:
            shown = (await self.run("explain", event_id, "--json")).json()
            return bool(shown["event"]["status"] == status)

        await until(is_so)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    shell = Shell(tmp_path)
    async with (
        ProductHost() as host,
        shell.running("dev", DISPATCHER_PORT="0", DISPATCHER_RETRY_SCHEDULE="0.05") as dev,
    ):
        await dev.heard(r"listening on (\S+)")
        await dev.heard(r"(worker started)")
        made = await shell.quick("integrations", "create", "--name", "Acme", "--to", host.url(), "--json")
        any_id = made.json()["definition"]["id"]
        assert (await shell.quick("integrations", "publish", any_id)).status == 0
        assert (await shell.quick("integrations", "link", any_id, "P")).status == 0
        yield Desk(shell, host, any_id)


async def test_a_pause_by_name_holds_events_back_until_it_is_resumed(desk: Desk) -> None:
    paused = await desk.run("pause", "acme", "--reason", "host is down", "--for", "2h")
    assert paused.out.startswith(f"Acme ({desk.integration}) paused until 20")
    assert "`dispatcher resume Acme` lets its events go on" in paused.err
    assert "Acme " in (await desk.run("queue")).out
    event_id = (await desk.emitted("A"))["id"]
    assert "host is down" in (await desk.run("explain", event_id)).out
    assert (await desk.run("resume", "Acme")).out == f"Acme ({desk.integration}) resumed\n"
    await desk.until_status(event_id, "SUCCEEDED")
    wrong = await desk.run("pause", "Acme", "--for", "2 hours")
    assert (wrong.status, "for: Give a duration" in wrong.err) == (2, True)
    assert (await desk.run("pause", "Acme", "--for", "2h", "--until", "2030-01-01T00:00:00Z")).status == 2
    unknown = await desk.run("resume", "Acne")
    assert unknown.status == 1
    assert "no integration 'Acne'; did you mean Acme? `dispatcher integrations list`" in unknown.err
    await desk.run("integrations", "create", "--name", "ACME")
    both = await desk.run("pause", "Acme")
    assert (both.status, desk.integration in both.err) == (2, True)


async def test_dead_letters_are_shown_by_cause_exported_and_sent_again_by_a_job(desk: Desk, tmp_path: Path) -> None:
    assert (await desk.run("dead-letters")).status == 0
    dead = {await desk.dead(account) for account in ("A", "B")}
    shown = await desk.run("dead-letters", "--since", "1h", "--integration", "Acme")
    assert shown.status == 1
    assert all(event_id in shown.out for event_id in dead)
    (cause,) = (await desk.run("dead-letters", "--json")).json()["causes"]
    assert (cause["count"], cause["name"], cause["code"]) == (2, "Acme", "TRANSPORT_ERROR")
    file = tmp_path / "dead.ndjson"
    assert (await desk.run("dead-letters", "--export", str(file))).err == f"2 events written to {file}\n"
    assert {json.loads(line)["id"] for line in file.read_text().splitlines()} == dead
    where = ("--where", "status:dead integration:Acme")
    counted = await desk.run("redeliver", *where, "--rate", "20", "--dry-run")
    assert counted.out.startswith("2 events would be sent again\nSTATUS  EVENTS\nDEAD    2\n")
    assert "it would end in 0 s, at 20" in counted.out
    assert (await desk.run("redeliver", *where, "--rate", "20")).out == "2 of 2 events sent again\n"
    for event_id in dead:
        await desk.until_status(event_id, "SUCCEEDED")
    (job,) = (await desk.run("redeliveries", "list", "--json")).json()
    assert (job["done"], job["rate"], job["state"]) == (2, 20.0, "DONE")
    told = (await desk.run("redeliveries", "show", job["id"], "--json")).json()
    assert {item["eventId"] for item in told["items"]} == dead
    assert dead <= set((await desk.run("redeliveries", "show", job["id"])).out.split())
    assert (await desk.run("redeliveries", "cancel", job["id"])).out == f"{job['id']} done after 2 of 2 events\n"
    one = dead.pop()
    assert (await desk.run("expunge", one)).out == f"{one} expunged\n"
    assert (await desk.run("explain", one, "--json")).json()["event"]["payloadExpunged"] is True
    assert (await desk.run("redeliver", one, "--rate", "1")).status == 2


async def test_events_that_wait_for_another_attempt_are_tried_at_once(desk: Desk) -> None:
    slow = ("--set", "retrySchedule=[3600, 3600]")
    assert (await desk.run("integrations", "update", "Acme", *slow)).status == 0
    assert (await desk.run("integrations", "publish", "Acme")).status == 0
    desk.host.replies.extend([Reply(503)] * 2)
    waiting = [str((await desk.emitted(account))["id"]) for account in ("A", "B")]
    for event_id in waiting:
        await desk.until_status(event_id, "RETRYING")
    event_id, status = (await desk.run("deliver-now", waiting[0])).out.split()
    assert (event_id, status in ("RETRYING", "DELIVERING", "SUCCEEDED")) == (waiting[0], True)
    await desk.until_status(waiting[0], "SUCCEEDED")
    again = await desk.run("deliver-now", waiting[0])
    assert (again.status, "refused" in again.out) == (1, True)
    counted = await desk.run("deliver-now", "--integration", "Acme", "--dry-run", "--json")
    assert counted.json()["byStatus"] == {"RETRYING": 1}
    assert (await desk.run("deliver-now", "--integration", "Acme")).out == "1 of 1 event brought forward\n"
    await desk.until_status(waiting[1], "SUCCEEDED")


async def test_a_url_that_is_gone_is_shown_and_enabled(desk: Desk) -> None:
    assert (await desk.run("suspended")).err == "no URL is suspended\n"
    desk.host.replies.append(Reply(410))
    gone = str((await desk.emitted("A", "--wait"))["id"])
    parked = str((await desk.emitted("A"))["id"])
    await desk.until_status(parked, "HELD")
    shown = await desk.run("suspended", "--json")
    assert (shown.status, shown.json()[0]["name"]) == (1, "Acme")
    enabled = await desk.run("suspended", "Acme", "--enable")
    assert (enabled.status, desk.host.url() in enabled.out) == (0, True)
    await desk.until_status(parked, "SUCCEEDED")
    assert gone != parked

"""The verbs against a running `dispatcher dev`: what they print, and the exit status that scripts rely on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dispatcher.sample_host import SampleHost
from tests.e2e.command_line import Shell
from tests.e2e.terminal import COLOUR, LEFT, SHOWN, in_terminal
from tests.e2e.town import Town, developing, settled
from tests.programs import Program
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    shell = Shell(tmp_path)
    async with SampleHost() as host, developing(shell) as dev:
        yield await settled(shell, host, dev)


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """For tests that emit nothing: its host has left."""
    shell = Shell(tmp_path_factory.mktemp("town"))
    with asyncio.Runner() as runner:
        dev = developing(shell)
        try:
            yield runner.run(_without_host(shell, dev))
        finally:
            runner.run(dev.__aexit__())


async def _without_host(shell: Shell, dev: Program) -> Town:
    async with SampleHost() as host:
        return await settled(shell, host, dev)


async def test_emit_waits_until_the_event_has_ended_and_says_how(town: Town) -> None:
    ran = await town.shell.run(
        "emit", "notify", "--product", "P", "--account", "A", "--wait", "--data", "notice.type=CLOSED"
    )
    assert (ran.status, ran.err) == (0, "")
    event_id, _, rest = ran.out.strip().partition(" ")
    assert rest == "SUCCEEDED after 1 attempt"
    shown = (await town.run("explain", event_id, "--json")).json()
    assert shown["event"]["payload"]["notice"] == {"type": "CLOSED"}
    assert [attempt["httpStatus"] for attempt in shown["attempts"]] == [200]
    assert shown["explanation"]["reason"] == "delivered"
    assert [one.event_id for one in town.host.received] == [event_id]

    in_words = await town.run("explain", event_id)
    assert in_words.status == 0
    assert "The product host confirmed the event." in in_words.out


async def test_emit_with_one_key_makes_one_event(town: Town) -> None:
    first, again = [await town.emitted("create", "--key", "order-1", "--account", "A") for _ in range(2)]
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["id"] == again["id"]
    changed = await town.run("emit", "create", "--product", "P", "--account", "B", "--key", "order-1")
    assert changed.status == 1
    assert "another body" in changed.err


async def test_emit_takes_a_payload_from_standard_input(town: Town) -> None:
    ran = await town.run(
        "emit", "upgrade", "--product", "P", "--payload-file", "-", "--wait", "--json", stdin=b'{"order":{"x":[1]}}'
    )
    assert ran.status == 0, ran
    assert ran.json()["payload"] == {"order": {"x": [1]}}


async def test_failed_event_makes_explain_and_emit_exit_with_1_until_it_is_redelivered(town: Town) -> None:
    event_id = await town.dead("--account", "A")
    explained = await town.run("explain", event_id)
    assert explained.status == 1
    assert "Every attempt has been used up" in explained.out
    assert "HTTP_ERROR" in explained.out

    again = await town.run("redeliver", event_id)
    assert (again.status, again.out) == (0, f"{event_id} QUEUED\n")

    async def explained_otherwise() -> bool:
        return (await town.run("explain", event_id)).status != 1

    await until(explained_otherwise)
    assert (await town.run("redeliver", event_id)).status == 1


async def test_redeliver_by_conditions_counts_first_and_then_sends_all_again(town: Town) -> None:
    ids = {await town.dead("--account", account) for account in "AB"}
    conditions = ("--status", "dead", "--since", "1h")
    counted = await town.run("redeliver", *conditions, "--dry-run")
    assert counted.out.splitlines()[0] == "2 events would be sent again"
    by_text = await town.run("redeliver", "--where", "status:dead since:1h account:A,B", "--dry-run")
    assert by_text.out.splitlines()[0] == "2 events would be sent again"
    only_a = await town.run("redeliver", *conditions, "--account", "A", "--dry-run", "--json")
    assert (only_a.json()["matched"], only_a.json()["byStatus"]) == (1, {"DEAD": 1})
    ran = await town.run("redeliver", *conditions)
    assert (ran.status, ran.out, ran.err) == (0, "2 of 2 events sent again\n", "")

    async def all_succeeded() -> bool:
        return {event["id"] for event in (await town.run("events", "--status", "succeeded", "--json")).json()} == ids

    await until(all_succeeded)
    assert (await town.run("redeliver", *conditions)).out == "no failed event meets these conditions\n"


async def test_resolve_goes_on_after_an_event_that_cannot_be_resolved(town: Town) -> None:
    event_id = await town.dead()
    ran = await town.run("resolve", "nonsense", event_id, "--json")
    assert ran.status == 1
    first, second = ran.json()
    assert (first["id"], first["status"]) == ("nonsense", None)
    assert "no such event" in first["error"]
    assert second == {"id": event_id, "status": "RESOLVED", "error": None}


async def test_events_are_listed_newest_first_under_all_conditions(town: Town) -> None:
    ids = [(await town.emitted(kind, "--account", "A", "--wait"))["id"] for kind in ("create", "notify", "cancel")]
    assert [event["id"] for event in (await town.run("events", "--json")).json()] == ids[::-1]
    assert [event["id"] for event in (await town.run("events", "--json", "--limit", "1")).json()] == ids[-1:]
    narrowed = await town.run("events", "--json", "--type", "create", "--type", "notify", "--since", "5m")
    assert [event["id"] for event in narrowed.json()] == ids[1::-1]
    assert (await town.run("events", "--json", "--account", "B")).json() == []
    table = await town.run("events")
    assert table.out.splitlines()[1].startswith(f"{ids[2]}  SUBSCRIPTION_CANCEL  SUCCEEDED")


async def test_tail_prints_one_json_object_a_line_as_it_happens(town: Town) -> None:
    async with town.shell.running("tail", "--json", "--limit", "2", "--account", "A") as tail:
        async with asyncio.timeout(40):
            while tail.alive:
                event = await town.emitted("create", "--account", "A", "--wait")
        assert await tail.ended() == 0
    changes = [json.loads(line) for line in tail.said().splitlines()]
    assert len(changes) == 2
    assert {change["accountId"] for change in changes} == {"A"}
    assert event["status"] == "SUCCEEDED"


async def test_tail_in_a_terminal_is_steered_by_keys_and_leaves_it_as_it_was(town: Town) -> None:
    async with in_terminal(town.shell.folder, "tail") as terminal:
        await terminal.shows("Following every change")
        terminal.press("\x03")
    assert LEFT in terminal.said
    async with in_terminal(town.shell.folder, "tail") as terminal:
        await terminal.shows("Following every change")
        async with asyncio.timeout(60):
            while "DEAD" not in terminal.said:
                await town.dead()
        terminal.press("d")
        await terminal.shows("  account ")
        terminal.resize(12, 70)
        terminal.press("r")
        await terminal.shows("again? y / n")
        terminal.press("y")
        await terminal.shows("is sent again.")
        terminal.press("q")
    assert terminal.program.process.returncode == 0
    assert (terminal.said.count(SHOWN), terminal.said.count(LEFT)) == (1, 1)
    assert COLOUR.search(terminal.said) is None, "NO_COLOR is set"


async def test_audit_recounts_what_dev_holds(town: Town) -> None:
    await town.emitted("create", "--wait")
    ran = await town.run("audit", "--json")
    assert ran.status == 0
    counts = {"accepted": 1, "terminal": 1, "open": 0, "failed": 0, "archived": 0, "segments": 0, "outbox": 0}
    assert ran.json() == counts | {"well": True, "installed": {}, "broken": []}
    assert "nothing is lost" in (await town.run("audit")).out


REFUSALS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "unlinked product": (("emit", "create", "--product", "Q"), 2, "productId: The product is not linked"),
    "unknown type": (("emit", "bogus", "--product", "P"), 2, "use one of create, upgrade"),
    "bad notice": (("emit", "notify", "--product", "P", "--data", "notice.type=X"), 2, "payload.notice.type: "),
    "no product": (("emit", "create"), 2, "--product"),
    "empty product": (("emit", "create", "--product", ""), 2, "--product is empty: is a variable unset?"),
    "empty account": (("emit", "create", "--product", "P", "--account", ""), 2, "--account is empty"),
    "unknown event": (("explain", "0195f1c2-7d3a-7000-8000-1c2d3e4f5a6b"), 1, "There is no such event"),
    "part of an id": (("explain", "0195f1c2"), 2, "give all 36 characters"),
    "unknown status": (("events", "--status", "bogus"), 2, "status: Give one or more of"),
    "unknown field": (("tail", "--where", "stauts:dead"), 2, "no field stauts; status? stauts:dead ^^^^^^"),
    "unknown age": (("events", "--since", "yesterday"), 2, "15m, 1h or 2d"),
    "nothing named": (("redeliver",), 2, "--status dead --since 1h"),
    "wrong secret": (("events", "--client-id", "admin", "--client-secret", "no"), 2, "--client-secret"),
    "half a client": (("events", "--client-id", "admin"), 2, "give both"),
    "nobody there": (("events", "--url", "http://127.0.0.1:1"), 2, "start `dispatcher dev` first"),
    "foreign server": (("events", "--url", "https://example.com"), 2, "no credentials for https://example.com"),
}


async def test_refusals_say_what_to_do_and_keep_to_the_exit_statuses(shared_town: Town) -> None:
    for name, (arguments, status, text) in REFUSALS.items():
        ran = await shared_town.run(*arguments)
        assert (ran.status, ran.out) == (status, ""), (name, ran)
        assert text in " ".join(ran.err.split()), (name, ran.err)
        assert "Traceback" not in ran.err, name


async def test_each_field_problem_has_a_line_of_its_own(shared_town: Town) -> None:
    ran = await shared_town.run("emit", "create", "--product", "P", "--data", "user=1", "--data", "company=2")
    assert ran.status == 2
    first, *problems = ran.err.splitlines()
    assert first == "error: refused with 422"
    assert sorted(problems) == [
        "  payload.company: company is an object or null",
        "  payload.user: user is an object or null",
    ]


async def test_client_without_the_scope_is_told_which_one_it_needs(shared_town: Town) -> None:
    town = shared_town
    made = (await town.run("clients", "create", "--scope", "events:read")).json()
    pair = ("--client-id", made["clientId"], "--client-secret", made["clientSecret"])
    assert (await town.run("events", *pair)).status == 0
    ran = await town.run("emit", "create", "--product", "P", *pair)
    assert ran.status == 2
    assert "events:write" in ran.err


async def test_status_says_what_needs_somebody_and_ends_with_it(town: Town) -> None:
    well = await town.run("status")
    assert (well.status, well.out[:12]) == (0, "All is well:")
    await town.dead()

    async def named() -> bool:
        return (await town.run("status", "--json")).status == 1

    await until(named)
    told = await town.run("status")
    assert told.status == 1
    assert "1 died since" in told.out
    assert "dispatcher redeliver" in told.out
    refused = await town.run("status", "--client-id", "admin", "--client-secret", "wrong-secret-of-somebody")
    assert refused.status == 2
    away = await town.run("status", "--url", "http://127.0.0.1:9", "--client-id", "a", "--client-secret", "b")
    assert away.status == 1

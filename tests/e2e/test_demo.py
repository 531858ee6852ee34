"""The first command that people run: it works at once, says what happened, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.command_line import Shell

pytestmark = pytest.mark.slow

KINDS = ("create", "upgrade", "assign", "unassign", "notify", "cancel")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def computed_s() -> float:
    """Processor time of every process that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def test_demo_delivers_one_event_of_each_kind_and_exits_with_0(shell: Shell) -> None:
    before_s = computed_s()
    demo = await shell.run("demo", "--exit", DISPATCHER_PORT="0")
    assert demo.status == 0, demo.out + demo.err
    assert demo.err == ""
    assert computed_s() - before_s < 10
    ended = re.findall(r"^  (\w+) +(\d) +SUCCEEDED +verified +verified +(\d) +([\d ]+\d) +[\d.]+ ms$", demo.out, re.M)
    assert [name for name, *_ in ended] == list(KINDS)
    assert [sequence for _, sequence, *_ in ended] == list("123456")
    assert {name: (attempts, answers) for name, _, attempts, answers in ended} == {
        name: ("2", "503 200") if name == "upgrade" else ("1", "200") for name in KINDS
    }
    assert "RETRYING" in demo.out
    assert re.search(r"ordered +the host received SUBSCRIPTION_ORDER, signed and authorised", demo.out)


async def test_demo_leaves_no_process_behind_and_a_second_one_starts_afresh(shell: Shell) -> None:
    for _ in range(2):
        assert (await shell.run("demo", "--exit", DISPATCHER_PORT="0")).status == 0
        assert not (shell.folder / ".dispatcher/demo/server.pid").exists()
    assert not (shell.folder / ".dispatcher/demo/listening.json").exists()


async def test_demo_after_a_killed_demo_takes_over_its_server(shell: Shell) -> None:
    async with shell.started("demo", DISPATCHER_PORT="0") as demo:
        await demo.heard(r"(Ctrl-C) ends the demo")
        server = int((shell.folder / ".dispatcher/demo/server.pid").read_text())
        demo.kill()
    assert alive(server)
    again = await shell.run("demo", "--exit", DISPATCHER_PORT="0")
    assert again.status == 0, again.out + again.err
    assert not alive(server)


async def test_demo_takes_a_free_port_and_says_so_when_its_own_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = await shell.run("demo", "--exit", DISPATCHER_PORT=str(port))
        asked = await shell.run("demo", "--exit", "--port", str(port))
    assert demo.status == 0
    assert f"(port {port} is taken)" in demo.out
    assert f"http://127.0.0.1:{port} " not in demo.out
    assert asked.status == 2
    assert str(port) in asked.err


async def test_demo_does_not_hear_settings_meant_for_production(shell: Shell) -> None:
    demo = await shell.run(
        "demo",
        "--exit",
        DISPATCHER_PORT="0",
        DISPATCHER_REDIS_URL="redis://127.0.0.1:1",
        DISPATCHER_PARTITIONS="3",
        DISPATCHER_REQUIRE_HTTPS="true",
        DISPATCHER_RETRY_SCHEDULE="3600",
        DISPATCHER_PUBLIC_BASE_URL="https://dispatcher.example.com",
        DISPATCHER_ADMIN_CLIENT_ID="production",
        DISPATCHER_ADMIN_CLIENT_SECRET="0123456789abcdef0123",
    )
    assert demo.status == 0, demo.out + demo.err


async def test_the_commands_that_the_demo_suggests_work_as_they_are(shell: Shell) -> None:
    async with shell.started("demo", DISPATCHER_PORT="0") as demo:
        await demo.heard(r"(Ctrl-C) ends the demo")
        suggested = re.findall(r"^    \S+ -m dispatcher\.cli\.main (.*)$", demo.said(), re.M)
        assert [words.split()[0] for words in suggested] == ["events", "explain", "emit", "audit", "tail"]
        for words in suggested[:-1]:
            ran = await shell.run(*words.split())
            assert ran.status == 0, (words, ran)
        assert await demo.stop(signal.SIGINT) == 0
    assert "Traceback" not in demo.said()


async def test_demo_and_dev_run_side_by_side(shell: Shell) -> None:
    async with shell.started("dev", DISPATCHER_PORT="0") as dev, shell.started("demo", DISPATCHER_PORT="0") as demo:
        await asyncio.gather(dev.heard(r"listening on (\S+)"), demo.heard(r"(Ctrl-C) ends the demo"))
        address = await demo.heard(r"--url (\S+)")
        assert (await shell.run("events", "--json")).json() == []
        assert len((await shell.run("events", "--json", "--url", address)).json()) == len(KINDS)

"""The processes as people start them: they say where they listen, share one server, and stop when told to."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from dispatcher.api.http.aiohttp_inside import connection
from dispatcher.store.secrets.sealing import new_key
from tests.ports import free_ports
from tests.programs import DEADLINE_S, Program, dispatcher_command
from tests.waiting import until

pytestmark = pytest.mark.slow

LISTENING = r"listening on (\S+)"

IMPATIENT = """
from dispatcher.api.http.aiohttp_inside import connection
connection.IDLE_CONNECTION_S = 1.0
from dispatcher.cli.main import main
main()
"""


def started(folder: Path, *arguments: str, code: str = "", **settings: str) -> Program:
    own = {"DISPATCHER_DATA_DIR": str(folder / "data")}
    return Program(folder, dispatcher_command(*arguments, code=code), own | settings, name=arguments[0])


async def workers_started(program: Program, times: int) -> None:
    await until(lambda: program.said().count("worker started") == times, DEADLINE_S, tell=program.said)


def status(url: str) -> int:
    """0 = nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def answers(url: str) -> bool:
    return status(url) == 200


def is_cut_off(drip: socket.socket) -> bool:
    try:
        drip.sendall(b"A: b\r\n")
    except OSError:
        return True
    return False


def children(pid: int) -> set[int]:
    return {int(child) for of in Path(f"/proc/{pid}/task").glob("*/children") for child in of.read_text().split()}


def gone(pid: int) -> bool | None:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2][0] == "Z" or None
    except OSError:
        return True


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dp-", dir="/tmp") as name:
        yield Path(name)


async def test_dev_starts_on_nothing_and_its_curl_gets_a_token(folder: Path) -> None:
    async with started(folder, "dev", "--port", "0") as dev:
        address = await dev.heard(LISTENING)
        curl = await dev.heard("(.*curl .*)")
        user, url = re.findall(r"-u (\S+) .* (http\S+)", curl)[0]
        assert url.startswith(address)
        request = urllib.request.Request(url, b"grant_type=client_credentials")
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert orjson.loads(answer.read())["access_token"]
        assert status(f"{address}/healthz") == 200
        server = int((folder / "data" / "server.pid").read_text())
        assert await dev.stop() == 0
    assert gone(server)
    assert not list((folder / "data").glob("*.sock"))


async def test_dev_stops_on_ctrl_c_and_keeps_keys_and_data(folder: Path) -> None:
    secrets = []
    for _ in range(2):
        async with started(folder, "dev", "--port", "0") as dev:
            await dev.heard(LISTENING)
            secrets.append(await dev.heard(r"-u (\S+)"))
            assert await dev.stop(signal.SIGINT) == 0
    assert secrets[0] == secrets[1]


async def test_ft8_dev_revives_its_embedded_server(folder: Path) -> None:
    async with started(folder, "dev", "--port", "0") as dev:
        ready = f"{await dev.heard(LISTENING)}/readyz"
        os.kill(int((folder / "data" / "server.pid").read_text()), signal.SIGKILL)
        assert await until(lambda: status(ready) == 503, DEADLINE_S, tell=dev.said)
        assert await until(lambda: status(ready) == 200, DEADLINE_S, tell=dev.said)


async def test_serve_and_workers_share_one_embedded_server(folder: Path) -> None:
    key, metrics = new_key(), free_ports(2)
    worker = ("worker", "--processes", "2")
    async with (
        started(folder, "serve", "--port", "0", DISPATCHER_SECRET_KEYS=key) as api,
        started(folder, *worker, DISPATCHER_SECRET_KEYS=key, DISPATCHER_METRICS_PORT=str(metrics)) as workers,
    ):
        assert status(f"{await api.heard(LISTENING)}/readyz") == 200
        for port in (metrics, metrics + 1):
            url = f"http://127.0.0.1:{port}/healthz"
            assert await until(partial(answers, url), DEADLINE_S, tell=workers.said)
        server = int((folder / "data" / "server.pid").read_text())
        assert await api.stop() == 0
        assert not gone(server)
        assert await workers.stop() == 0
        assert gone(server)


async def test_ft1_dead_worker_is_started_again(folder: Path) -> None:
    async with started(folder, "worker", "--processes", "2", DISPATCHER_SECRET_KEYS=new_key()) as workers:
        await workers_started(workers, 2)
        before = children(workers.pid)
        os.kill(min(before), signal.SIGKILL)
        await workers_started(workers, 3)
        assert "worker died" in workers.said()
        after = children(workers.pid)
        assert len(after) == 2
        assert len(after & before) == 1


async def test_a_single_worker_is_started_again_too(folder: Path) -> None:
    async with started(folder, "worker", DISPATCHER_SECRET_KEYS=new_key()) as supervisor:
        await workers_started(supervisor, 1)
        (before,) = children(supervisor.pid)
        os.kill(before, signal.SIGKILL)
        await workers_started(supervisor, 2)
        assert await supervisor.stop() == 0


async def test_a_worker_that_its_settings_do_not_let_start_is_not_started_again(folder: Path) -> None:
    wrong = {"DISPATCHER_PROXY_URL": "ftp://proxy.test", "DISPATCHER_SECRET_KEYS": new_key()}
    async with started(folder, "worker", **wrong) as supervisor:
        assert await supervisor.ended() == 2
        assert "DISPATCHER_PROXY_URL" in supervisor.said()
        assert "worker died" not in supervisor.said()


async def test_workers_do_not_outlive_a_killed_supervisor(folder: Path) -> None:
    async with started(folder, "worker", "--processes", "2", DISPATCHER_SECRET_KEYS=new_key()) as workers:
        await workers_started(workers, 2)
        left = children(workers.pid)
        server = int((folder / "data" / "server.pid").read_text())
        workers.kill()
        for pid in (*left, server):
            assert await until(partial(gone, pid), DEADLINE_S, tell=workers.said)


async def test_a_worker_whose_supervisor_was_killed_while_it_started_ends_by_itself(folder: Path) -> None:
    somebody_else = str(os.getppid())
    command = (sys.executable, "-P", "-m", "dispatcher.cli.one_worker", "called", somebody_else)
    own = {"DISPATCHER_DATA_DIR": str(folder / "data"), "DISPATCHER_SECRET_KEYS": new_key()}
    async with Program(folder, command, own, name="worker") as orphan:
        assert await orphan.ended() == 0


async def test_taken_port_is_one_line_and_exit_2(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with started(folder, "serve", "--port", port, DISPATCHER_SECRET_KEYS=new_key()) as api:
            assert await api.ended() == 2
            assert api.said().startswith(f"error: cannot listen on 127.0.0.1:{port}")
            assert api.said().count("\n") == 1


async def test_bi28_header_drip_is_cut_off(folder: Path) -> None:
    assert connection.IDLE_CONNECTION_S == 10
    async with started(folder, "serve", "--port", "0", code=IMPATIENT, DISPATCHER_SECRET_KEYS=new_key()) as api:
        host, port = (await api.heard(LISTENING)).removeprefix("http://").split(":")
        began = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=5) as drip:
            drip.sendall(b"GET /healthz HTTP/1.1\r\n")
            await until(partial(is_cut_off, drip), DEADLINE_S)
        assert time.monotonic() - began > 1


@pytest.mark.parametrize("request_bytes", [b"H%d: x\r\n" * 200, b"A: " + b"x" * 9000 + b"\r\n"], ids=["many", "long"])
async def test_bi29_too_many_or_too_long_headers_are_refused_quietly(folder: Path, request_bytes: bytes) -> None:
    async with started(folder, "serve", "--port", "0", DISPATCHER_SECRET_KEYS=new_key()) as api:
        host, port = (await api.heard(LISTENING)).removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + request_bytes + b"\r\n")
            assert client.recv(12)[-3:] in {b"400", b"431"}
        assert await api.stop() == 0
        assert "Traceback" not in api.said()

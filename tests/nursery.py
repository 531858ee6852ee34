"""A process that has imported ``dispatcher`` and bears others by forking, in a tenth of the time that a start takes.

What it bears has arguments, environment, folder and output of its own, takes signals as any program does, and ends like
one. What has to begin otherwise, under limits or on changed modules, is started instead (``tests/programs.py``).

python -m tests.nursery DESCRIPTOR    bears what is asked for at this socket, until the other end is closed
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

ROOT = Path(__file__).parents[1]
MODULES = (
    "dispatcher.cli.main",
    "dispatcher.cli.processes.dev",
    "dispatcher.cli.processes.serve",
    "dispatcher.cli.processes.worker",
    "dispatcher.api.app",
    "worker.main",
)
ENOUGH_BYTES = 1 << 18
"""For any request or answer."""

READ_AT_A_START = ("PYTHON", "LD_")
"""Beginnings of names in an environment of which what is born does not hear."""


class Born:
    """One process of a nursery; as much of ``subprocess.Popen`` as tests use."""

    def __init__(self, link: socket) -> None:
        self._link = link
        self.pid = int(link.recv(ENOUGH_BYTES))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self._link.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self._hear()
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            self._link.setblocking(True)
            self._hear()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self) -> None:
        self.returncode = int(self._link.recv(ENOUGH_BYTES))
        self._link.close()


class Nursery:
    """Ends with the process that made it."""

    def __init__(self) -> None:
        self._control, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self._inherited = _read_at_a_start(os.environ)
        with theirs:
            command = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        atexit.register(self._end)

    def can_bear(self, environment: Mapping[str, str]) -> bool:
        return _read_at_a_start(environment) == self._inherited

    def bear(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, output: int) -> Born:
        """``dispatcher`` with these arguments, which writes to a file that is open here."""
        asked = {"arguments": [*arguments], "environment": dict(environment), "folder": str(folder)}
        link, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        with theirs:
            send_fds(self._control, [json.dumps(asked).encode()], [output, theirs.fileno()])
        return Born(link)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


@functools.cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def _read_at_a_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_A_START)}


def wait_for_requests(control: socket) -> None:
    """Returns in each process that is born."""
    for name in MODULES:
        import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, descriptors, _, _ = recv_fds(control, ENOUGH_BYTES, 2)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            return _be_born(text, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _be_born(text: bytes, output: int, link: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        os.close(output)
        _tell_of(child, socket(fileno=link))
    os.close(link)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    asked = json.loads(text)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["dispatcher", *asked["arguments"]]


def _tell_of(child: int, link: socket) -> None:
    """Be the parent: say who was born and, at the end, how it ended."""
    with contextlib.suppress(OSError):
        link.send(str(child).encode())
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        link.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    wait_for_requests(socket(fileno=int(sys.argv[1])))
    from dispatcher.cli.main import main

    main()

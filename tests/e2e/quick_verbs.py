"""Runs verbs of ``dispatcher`` in forks of one process that has imported them: a fifth of the time of a start each.

python quick_verbs.py serve SOCKET MODULE…    imports the modules, then waits for verbs
python quick_verbs.py run SOCKET ARGUMENT…    does what ``dispatcher ARGUMENT…`` does, here and with these streams
"""

import array
import json
import os
import socket
import sys
from importlib import import_module
from pathlib import Path

STREAMS = (0, 1, 2)


def serve(path: str, modules: list[str]) -> None:
    for name in modules:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen()
        Path(f"{path}.new").rename(path)
        while True:
            connection, _ = listener.accept()
            with connection:
                _carry_out(connection)


def _carry_out(connection: socket.socket) -> None:
    text, fds, _, _ = socket.recv_fds(connection, 1 << 20, len(STREAMS))
    asked = json.loads(text)
    child = os.fork()
    if child == 0:
        _be(asked, list(fds))
    for fd in fds:
        os.close(fd)
    _, status = os.waitpid(child, 0)
    connection.sendall(array.array("i", [os.waitstatus_to_exitcode(status)]).tobytes())


def _be(asked: dict, fds: list[int]) -> None:  # type: ignore[type-arg]
    from dispatcher.cli.main import main

    for fd, stream in zip(fds, STREAMS, strict=True):
        os.dup2(fd, stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["dispatcher", *asked["arguments"]]
    status: object = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)


def run(path: str, arguments: list[str]) -> int:
    asked = {"arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [json.dumps(asked).encode()], STREAMS)
        return array.array("i", connection.recv(4))[0]


if __name__ == "__main__":
    _, what, at, *rest = sys.argv
    if what == "serve":
        serve(at, rest)
    else:
        sys.exit(run(at, rest))

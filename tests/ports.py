"""Ports for servers that a test starts, kills and starts again."""

from __future__ import annotations

import contextlib
import random
import socket

FIRST, LAST = 10_000, 22_700
BUS = 10_000
"""Distance from the port of a Redis cluster to that of its bus."""

_chance = random.SystemRandom()


def free_port() -> int:
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of ``count`` ports in a row that nobody uses, nor those of their buses.

    They lie below those that the kernel gives to outgoing connections (``ip_local_port_range`` of ip(7), from 32768).
    One of these may be taken while its server is away, by any connection of this machine: even by the one that waits
    for this server, which then has connected to itself.
    """
    while True:
        base = _chance.randrange(FIRST, LAST - count)
        with contextlib.ExitStack() as held:
            try:
                for port in range(base, base + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
                    held.enter_context(socket.create_server(("127.0.0.1", port + BUS)))
            except OSError:
                continue
            return base

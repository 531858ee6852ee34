"""Asks a proxy for a tunnel, on a connection that a ping looks at step by step. Sends nothing through the tunnel."""

from __future__ import annotations

import asyncio
import re
import socket

from dispatcher.policy.addresses.proxies import ProxyAddress
from worker.http.proxies import basic

MAX_ANSWER_BYTES = 8192

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


async def ask_for_tunnel(connection: socket.socket, proxy: ProxyAddress, host: str, port: int) -> int | None:
    """The status of the proxy's answer to CONNECT (RFC 9110 §9.3.6), 200 = the tunnel is there; None = no HTTP."""
    loop = asyncio.get_running_loop()
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if authorization := basic(proxy):
        lines.append(f"Proxy-Authorization: {authorization}")
    await loop.sock_sendall(connection, "\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < MAX_ANSWER_BYTES:
        more = await loop.sock_recv(connection, MAX_ANSWER_BYTES - len(answer))
        if not more:
            break
        answer += more
    status = _STATUS.match(answer)
    return int(status[1]) if status else None

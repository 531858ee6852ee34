"""The TLS step of a ping: shakes hands on a connection that is there, and hears whether the host is content with us.

Sends no request. Never raises for what it meets: that is a step that is not ok.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from functools import partial

from dispatcher.model.ping import PingStep, StepName
from worker.http.threads import Threads
from worker.http.tls import TransportUnusable, tls_context
from worker.http.transport import Route
from worker.ping.words import HungUp, certificate, tls_failure

REFUSAL_WAIT_S = 0.1
"""Time to listen for a refusal, besides the time that the handshake took."""
SAVE_AGAIN = "Save transport again: saving says what is wrong with it."


class Stopwatch:
    """Milliseconds since it was made."""

    def __init__(self) -> None:
        self._begun_s = time.perf_counter()

    def ms(self) -> float:
        return (time.perf_counter() - self._begun_s) * 1000


@dataclass(frozen=True, slots=True)
class Handshaker:
    """``tls`` is for whatever brings no certificates of its own; ``timeout_s`` is for one handshake."""

    tls: ssl.SSLContext
    timeout_s: float
    threads: Threads

    async def step(self, connection: socket.socket, host: str, route: Route | None) -> PingStep:
        """Over a copy of ``connection``, as ``route`` says."""
        watch, heard = Stopwatch(), _Listening()
        try:
            context = (await self.threads.run(partial(tls_context, route.transport)) if route else None) or self.tls
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: heard,
                sock=connection.dup(),
                ssl=context,
                server_hostname=host,
                ssl_handshake_timeout=self.timeout_s,
            )
        except TransportUnusable as error:
            return PingStep(StepName.TLS, False, watch.ms(), str(error), SAVE_AGAIN)
        except (OSError, ssl.CertificateError) as error:
            return PingStep(StepName.TLS, False, watch.ms(), *tls_failure(error))
        duration_ms = watch.ms()
        negotiated: ssl.SSLObject = transport.get_extra_info("ssl_object")
        version, peer = negotiated.version(), negotiated.getpeercert()
        refused = await heard.refusal(duration_ms / 1000 + REFUSAL_WAIT_S) if version == "TLSv1.3" else None
        transport.abort()
        if refused is not None:
            return PingStep(StepName.TLS, False, watch.ms(), *tls_failure(refused))
        return PingStep(StepName.TLS, True, duration_ms, *certificate(version, peer))


class _Listening(asyncio.Protocol):
    """Hears a host refuse our certificate: in TLS 1.3 it does so after the handshake (RFC 8446 §4.4.2.4).

    Some send an alert, some only hang up; a host that is content says nothing before it is asked something.
    """

    def __init__(self) -> None:
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._lost.done():
            self._lost.set_result(exc or HungUp())

    async def refusal(self, wait_s: float) -> Exception | None:
        """The reason why the connection ended, if it did within that time."""
        await asyncio.wait([self._lost], timeout=wait_s)
        return self._lost.result() if self._lost.done() else None

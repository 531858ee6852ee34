"""Cookies of pages: out of reach of scripts, of this very host, and kept also in frames of other sites."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import hdrs, web

from dispatcher.api.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of a deployment. ``framed``: sent in frames of other sites, kept apart for each of them (CHIPS).

    A browser takes a name with ``__Host-`` from this very host over TLS only (RFC 6265bis §4.1.3.2). Without TLS all
    ports of a host share their cookies, so there the name tells the port. Browsers take a loopback address for secure
    enough for what frames need: ``Secure``, without which there is neither ``SameSite=None`` nor ``Partitioned``.
    """

    name: str
    secure: bool
    framed: bool = False

    @classmethod
    def of(cls, deployment: Deployment, name: str, *, framed: bool = False) -> Cookie:
        https = deployment.is_https
        return cls(f"__Host-{name}" if https else f"{name}-{deployment.port}", https or framed, framed)

    def read(self, request: web.Request) -> str | None:
        return request.cookies.get(self.name)

    def keep(self, response: web.StreamResponse, value: str, life_s: float) -> None:
        """Have the browser keep it, for ``life_s`` at most. Python before 3.14 knows no Partitioned."""
        parts = [f"{self.name}={value}", f"Max-Age={int(life_s)}", "Path=/", "HttpOnly"]
        parts += ["SameSite=None", "Partitioned"] if self.framed else ["SameSite=Lax"]
        parts += ["Secure"] if self.secure else []
        response.headers.add(hdrs.SET_COOKIE, "; ".join(parts))

    def drop(self, response: web.StreamResponse) -> None:
        """Have the browser forget it."""
        self.keep(response, "", 0)

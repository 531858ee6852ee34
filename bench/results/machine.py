"""On what the figures were measured, for ``results.json``. Names no user and no host."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.plan import Plan
from dispatcher.embedded import ServerOptions, server_binary

PACKAGES = ("aiohttp", "arq", "redis", "hiredis", "uvloop", "orjson", "pydantic")


def machine() -> dict[str, object]:
    """Processor, system, versions, and how the server writes."""
    options = ServerOptions()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "loadBefore": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "server": _server_version(),
        "appendonly": options.appendonly,
        "appendfsync": options.appendfsync,
        "packages": {name: version(name) for name in PACKAGES},
    }


def settings(plan: Plan, only: tuple[str, ...]) -> dict[str, object]:
    return {"measured": list(only)} | {name: getattr(plan, name) for name in plan.__slots__}


def _cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _server_version() -> str:
    said = subprocess.run([server_binary(), "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    found = re.search(r"v=([\d.]+)", said)
    return f"{said.split()[0]} {found[1]}" if found else said.strip()

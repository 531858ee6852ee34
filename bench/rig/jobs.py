"""Jobs of the benchmark: processes that answer one task, and the CPU time that a process has used."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from dispatcher.cli.bench.children import ChildFailed, environment

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
JOB_WITHIN_S = 180.0


async def job(module: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ``python -m module`` to ``task``; both are JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=environment({}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, complaint = await asyncio.wait_for(process.communicate(orjson.dumps(task)), JOB_WITHIN_S)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        raise ChildFailed(complaint.decode()[-2000:])
    found: dict[str, Any] = orjson.loads(answer)
    return found


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

"""DISPATCHER_LOG_FORMAT=json: every line that a process writes is a record, also those that others would write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dispatcher.store.secrets.sealing import new_key
from tests.programs import dispatcher_command, ran

REPORTS = """
import asyncio, gc, logging, threading, warnings
from dispatcher.cli.processes.startup import run_process
from dispatcher.settings import Settings

class Unhappy:
    def __del__(self):
        raise ValueError("while it was freed")

def in_thread():
    raise KeyError("in a thread")

async def work():
    warnings.warn("an old way", DeprecationWarning)
    logging.getLogger("third.party").error("two\\nlines")
    thread = threading.Thread(target=in_thread, name="helper")
    thread.start()
    thread.join()
    Unhappy()
    gc.collect()
    asyncio.get_running_loop().call_exception_handler({"message": "of the loop", "exception": OSError("gone")})
    raise RuntimeError("nobody catches this")

run_process(work(), Settings(log_format="json"))
"""


async def lines_of(folder: Path, command: tuple[str, ...], **settings: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit status, standard output, and each line of standard error."""
    own = {"DISPATCHER_LOG_FORMAT": "json", "DISPATCHER_DATA_DIR": str(folder)}
    done = await ran((command[0], "-W", "always", *command[1:]), folder, own | settings)
    return done.status, done.out, [json.loads(line) for line in done.err.splitlines()]


async def test_what_python_and_libraries_report_is_json(tmp_path: Path) -> None:
    status, out, lines = await lines_of(tmp_path, dispatcher_command(code=REPORTS))
    assert (status, out) == (1, "")
    found = {line.get("logger") or line["event"]: line for line in lines}
    assert "an old way" in found["py.warnings"]["event"]
    assert found["third.party"]["event"] == "two\\nlines"
    assert (found["thread broke off"]["thread"], found["thread broke off"]["error"]) == (
        "helper",
        "KeyError('in a thread')",
    )
    assert "while it was freed" in found["exception ignored"]["exception"]
    assert "gone" in found["asyncio"]["exception"]
    assert found["process broke off"]["level"] == "critical"
    assert "RuntimeError: nobody catches this" in found["process broke off"]["exception"]
    assert all({"at", "level", "event"} <= line.keys() for line in lines)


async def test_why_a_process_did_not_start_is_json(tmp_path: Path) -> None:
    status, out, lines = await lines_of(tmp_path, dispatcher_command("worker"))
    assert (status, out) == (2, "")
    assert [line["event"] for line in lines] == ["process ended"]
    assert "DISPATCHER_SECRET_KEYS is not set" in lines[0]["error"]
    gone = {"DISPATCHER_SECRET_KEYS": new_key(), "DISPATCHER_REDIS_URL": f"unix://{tmp_path}/no-server"}
    status, out, lines = await lines_of(tmp_path, dispatcher_command("serve"), **gone)
    assert (status, out) == (1, "")
    assert lines[-1]["event"] == "process ended"
    assert "start it, or name another one in DISPATCHER_REDIS_URL" in lines[-1]["error"]

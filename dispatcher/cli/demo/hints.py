"""Commands to try while the demo runs, ready to be copied."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from dispatcher.cli.api_access import find_access
from dispatcher.cli.demo.stage import Stage
from dispatcher.cli.demo.story import ACCOUNT_ID, PRODUCT_ID, RETRIED
from dispatcher.errors import ConfigurationError

PAGES = (("console", "/console"), ("API", "/docs"))


def program(started_as: str) -> list[str]:
    """``dispatcher`` where the shell finds this one, else its path, else the interpreter and the module."""
    script = Path(started_as)
    if script.name == "__main__.py" or script.suffix == ".py":
        return [_short(sys.executable), "-m", "dispatcher.cli.main"]
    found = shutil.which("dispatcher")
    return ["dispatcher"] if found and Path(found).resolve() == script.resolve() else [_short(started_as)]


async def hints(stage: Stage, command: str) -> list[str]:
    """Addresses, credentials and commands, line by line."""
    address = stage.api.address
    pages = [f"  {name:<12} {address}{path}" for name, path in PAGES if await stage.client.answers(path) != 404]
    user = shlex.quote(f"{stage.client_id}:{stage.client_secret}")
    at = "" if _is_found(address) else f" --url {address}"
    retried = next((one for one in stage.host.received if one.attempt == 2), None)
    tries = {
        "what happened so far": f"events{at}",
        **({f"why the {RETRIED} took two attempts": f"explain {retried.event_id}{at}"} if retried else {}),
        "another event, from here to the host": f"emit notify --product {PRODUCT_ID} --account {ACCOUNT_ID} --wait{at}",
        "proof that nothing is lost": f"audit --data-dir {stage.folder}",
        "changes as they happen, while you emit more elsewhere": f"tail{at}",
    }
    return [
        "",
        *pages,
        f"  {'client':<12} {stage.client_id}, its secret is in {stage.folder}/admin.json",
        f"  {'token':<12} curl -s -u {user} -d grant_type=client_credentials {address}/oauth2/token",
        "",
        "Try, in another terminal:",
        *(f"  {what}\n    {command} {verb}" for what, verb in tries.items()),
        "",
        "Ctrl-C ends the demo; the next one starts afresh.",
    ]


def _is_found(address: str) -> bool:
    """True when verbs find this demo without being given an address."""
    try:
        return find_access().url == address
    except ConfigurationError:
        return False


def _short(path: str) -> str:
    """Relative to here when that is shorter."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative

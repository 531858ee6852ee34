"""``dispatcher serve``: the API, as one process of production. Delivers nothing: that is the worker's."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.environment import refuse_misspelt
from dispatcher.cli.processes.lean_imports import import_server
from dispatcher.cli.processes.startup import open_store, require_secret_keys, run_process, stop_on_signals, with_archive
from dispatcher.cli.terminal.standard_streams import announce
from dispatcher.clock import iso_ms, system_clock
from dispatcher.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on instead of DISPATCHER_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on instead of DISPATCHER_PORT.")] = None,
) -> None:
    """Answer HTTP until SIGTERM or Ctrl-C, then finish what was begun.

    Example: dispatcher serve --port 8080
    """
    refuse_misspelt()
    settings = with_archive(load_settings(host=host, port=port))
    require_secret_keys(settings)
    import_server("dispatcher.cli.processes.listening")
    run_process(_serve(settings), settings)


def main() -> None:
    """The command ``dispatcher-api``."""
    from dispatcher.cli.main import main as dispatcher

    dispatcher(["serve", *sys.argv[1:]])


async def _serve(settings: Settings) -> None:
    from dispatcher.cli.processes.listening import listening

    with stop_on_signals() as stop:
        async with open_store(settings, client_name="dispatcher-api") as store, listening(settings, store.redis) as api:
            announce(_greeting(api.address, settings.log_format))
            await stop.wait()


def _greeting(address: str, log_format: str) -> str:
    """On standard output, so that it is told although nobody takes the log; JSON where every line is."""
    if log_format != "json":
        return f"listening on {address}"
    said = {"event": "listening", "address": address, "level": "info", "at": iso_ms(system_clock.now_ms())}
    return orjson.dumps(said).decode()

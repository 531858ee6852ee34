"""``dispatcher dev``: API and worker in one process, for a developer's machine. Not for production."""

from __future__ import annotations

import asyncio
import shlex
from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.environment import is_given, remarks
from dispatcher.cli.local.address_file import announced
from dispatcher.cli.local.local_secrets import admin_credentials, with_local_secrets
from dispatcher.cli.processes.delivering import deliver
from dispatcher.cli.processes.listening import Listening, listening
from dispatcher.cli.processes.startup import Store, open_store, run_process, stop_on_signals, with_archive
from dispatcher.cli.terminal.standard_streams import announce
from dispatcher.settings import Settings


def dev(
    host: Annotated[str | None, typer.Option(help="Address to listen on instead of DISPATCHER_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on instead of DISPATCHER_PORT; 0 = any.")] = None,
) -> None:
    """Serve and deliver until SIGTERM or Ctrl-C. Keys, an admin client and the data are kept in the data folder.

    Example: dispatcher dev --port 0
    """
    for remark in remarks():
        typer.echo(f"warning: {remark}", err=True)
    settings = with_local_secrets(with_archive(load_settings(host=host, port=port)))
    run_process(_dev(settings), settings)


async def _dev(settings: Settings) -> None:
    with stop_on_signals() as stop:
        async with open_store(settings, client_name="dispatcher-dev") as store:
            await serve_and_deliver(settings, store, stop)


async def serve_and_deliver(settings: Settings, store: Store, stop: asyncio.Event) -> None:
    """Until ``stop``: first the API ends its requests, then the worker its attempts. A worker that fails ends both."""
    stop_worker = asyncio.Event()
    async with listening(settings, store.redis) as api:
        worker = asyncio.create_task(deliver(api.settings, store.url, stop_worker))
        worker.add_done_callback(lambda _: stop.set())
        announce(welcome(api, store))
        with announced(settings.data_dir, api.address, api.settings.base_url):
            await stop.wait()
    stop_worker.set()
    await worker


def welcome(api: Listening, store: Store) -> str:
    """Next steps, in commands that can be copied."""
    admin = admin_credentials(api.settings)
    data = f"{api.settings.data_dir} (embedded server)" if store.server else "the Redis of DISPATCHER_REDIS_URL"
    lines = [
        f"listening on {api.address}",
        f"  console  {api.address}/console",
        f"  API      {api.address}/docs",
        f"  data     {data}",
    ]
    if admin:
        user = _user(*admin)
        lines += [
            f"  token    curl -s -u {user} -d grant_type=client_credentials {api.settings.base_url}/oauth2/token",
            f"  sign in  to the console as client {admin[0]}, with the secret after the colon in the line above",
        ]
    return "\n".join([*lines, "Ctrl-C stops it; what it holds is kept."])


def _user(client_id: str, secret: str) -> str:
    """For curl's ``-u``. A secret of the environment stays there: the shell of whoever set it knows it."""
    if is_given("admin_client_secret"):
        return f'{shlex.quote(client_id)}:"$DISPATCHER_ADMIN_CLIENT_SECRET"'
    return shlex.quote(f"{client_id}:{secret}")

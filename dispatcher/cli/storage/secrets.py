"""``dispatcher secrets``: seal everything with the newest key, so that older ones can be dropped. Shows no secret."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.processes.startup import open_store, require_secret_keys
from dispatcher.cli.storage.operator import audit_log_of, operator
from dispatcher.cli.terminal.options import VerbCommand
from dispatcher.cli.terminal.output import cell, note, print_json
from dispatcher.model.audit_entry import DONE, Action
from dispatcher.settings import Settings
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.reseal.reseal import Resealer, Tally
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.store.secrets.sealing import Sealer

secrets = typer.Typer(no_args_is_help=True)


@secrets.callback()
def _group() -> None:
    """Secrets at rest."""


@secrets.command("reseal", cls=VerbCommand)
def reseal(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Seal again what needs an older key of DISPATCHER_SECRET_KEYS. Status 1 when something still does afterwards.

    Example: dispatcher secrets reseal --dry-run
    """
    settings = load_settings()
    require_secret_keys(settings)
    tally = run(_reseal(settings, write=not dry_run, progress=not as_json and sys.stderr.isatty()))
    if as_json:
        print_json(_as_json(tally, dry_run))
    else:
        _show(tally, dry_run)
    if tally.problems or (tally.stale and not dry_run):
        raise typer.Exit(1)


async def _reseal(settings: Settings, *, write: bool, progress: bool) -> Tally:
    sealer = Sealer([key.get_secret_value() for key in settings.secret_keys])
    async with open_store(settings, client_name="dispatcher-secrets", claim=False, existing=True) as store:
        resealer = Resealer(store.redis, sealer, write=write)
        async for tally in resealer.pages():
            if progress:
                sys.stderr.write(f"\r{tally.seen} of {tally.total} records with their versions")
        if progress:
            sys.stderr.write("\r\033[K")
        await StaleCount(store.redis).write(resealer.tally.stale)
        if write:
            if resealer.tally.well and not resealer.tally.stale:
                await KeyCheck(store.redis, sealer).reset()
            await audit_log_of(settings, store.redis).append(_action(resealer.tally))
        return resealer.tally


def _action(tally: Tally) -> Action:
    """The one entry of a run. Counts only: what a value was sealed with before and after tells nobody anything."""
    counted = {"values": tally.values, "resealed": tally.resealed, "stale": tally.stale}
    counts = {**counted, "problems": len(tally.problems)}
    now_ms = int(time.time() * 1000)
    return Action(operator(), "resealSecrets", "secrets", "all", now_ms, after=counts, outcome=DONE)


def _as_json(tally: Tally, dry_run: bool) -> dict[str, object]:
    return {
        "dryRun": dry_run,
        **{kind: count for kind, count in tally.owners.items() if count or kind == "integrations"},
        "values": tally.values,
        "resealed": tally.resealed,
        "stale": tally.stale,
        "problems": [{"in": whose, "problem": why} for whose, why in tally.problems.items()],
    }


def _show(tally: Tally, dry_run: bool) -> None:
    owners = [f"{count} {kind}" for kind, count in tally.owners.items() if count or kind == "integrations"]
    typer.echo(f"{tally.values} sealed values in {', '.join(owners)}")
    if dry_run:
        typer.echo(f"{tally.stale} need an older key and would be sealed again")
    else:
        typer.echo(f"{tally.resealed} sealed again, {tally.stale} still need an older key")
    for whose, why in tally.problems.items():
        note(f"{cell(whose)}: {cell(why)}")
    if not tally.stale and not tally.problems:
        typer.secho("the newest key opens everything: older ones can be dropped", fg=typer.colors.GREEN)

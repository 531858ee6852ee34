"""``dispatcher audit-log``: who changed what, and whether the log is still as it was written. Changes nothing."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.processes.startup import open_store
from dispatcher.cli.terminal.output import note, print_json, print_listing
from dispatcher.clock import iso_ms
from dispatcher.model.audit_entry import Entry
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader, Kept, Verdict

COLUMNS = {
    "n": "N",
    "at": "AT",
    "client": "CLIENT",
    "action": "ACTION",
    "object": "OBJECT",
    "outcome": "OUTCOME",
    "changed": "CHANGED",
}
PAGE = 500


def audit_log(
    verify: Annotated[bool, typer.Option("--verify", help="Check the chain of hashes; status 1 if it breaks.")] = False,
    client: Annotated[str | None, typer.Option(help="Only what this client did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as pauseLane.")] = None,
    object_id: Annotated[str | None, typer.Option("--object", help="Only what was done to this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Entries to show, newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the newest entries, or walk along all of them.

    Example: dispatcher audit-log --limit 20
    """
    if verify:
        _show_verdict(run(_verify()), as_json=as_json)
        return
    entries = run(_entries(AuditFilter(client_id=client, action=action, object_id=object_id), limit))
    if as_json:
        print_json([orjson.loads(entry.text) | {"hash": entry.head.hash} for entry in entries])
        return
    print_listing([_row(entry) for entry in entries], COLUMNS, as_json=False, styles={"done": "green"})


async def _entries(condition: AuditFilter, limit: int) -> list[Entry]:
    async with open_store(load_settings(), client_name="dispatcher-audit-log", claim=False, existing=True) as store:
        reader = AuditReader(store.redis)
        found: list[Entry] = []
        cursor: str | None = None
        while len(found) < limit:
            page = await reader.page(condition, cursor, min(PAGE, limit - len(found)))
            found, cursor = found + page.items, page.next_cursor
            if cursor is None:
                break
        return found


async def _verify() -> Verdict:
    settings = load_settings()
    kept = Kept(settings.audit_ms, settings.audit_entries)
    async with open_store(settings, client_name="dispatcher-audit-log", claim=False, existing=True) as store:
        return await AuditReader(store.redis).verify(kept)


def _show_verdict(verdict: Verdict, *, as_json: bool) -> None:
    found = {
        "entries": verdict.entries,
        "first": verdict.first,
        "last": verdict.head.n,
        "hash": verdict.head.hash,
        "broken": list(verdict.broken),
    }
    if as_json:
        print_json(found)
    else:
        for text in verdict.broken:
            note(text)
        state = "unbroken" if verdict.well else "BROKEN"
        typer.echo(f"{verdict.entries} entries, {verdict.first} to {verdict.head.n}: {state}; hash {verdict.head.hash}")
    if not verdict.well:
        raise typer.Exit(1)


def _row(entry: Entry) -> dict[str, object]:
    action = entry.action()
    return {
        "n": entry.n,
        "at": iso_ms(action.at_ms),
        "client": action.author.client_id,
        "action": action.name,
        "object": f"{action.kind} {action.object_id}",
        "outcome": action.outcome,
        "changed": sorted(action.after or ()) if action.before else [],
    }

"""``dispatcher integrations export`` and ``apply``: everything that publishers define, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.publishing.declared_file import Declared, name_secrets, read_declared, secrets_of_template, written
from dispatcher.cli.publishing.plan import SHOWN_OF, UNCHANGED, Present, Step, planned, title_of
from dispatcher.cli.terminal.asking import Yes, agreed
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note, print_json
from dispatcher.cli.terminal.words import times
from dispatcher.client import ApiError, Client
from dispatcher.flow.publishing.declared import reduced, secrets_in

COLOURS = {"+": typer.colors.GREEN, "~": typer.colors.YELLOW, "-": typer.colors.RED, ">": typer.colors.BLUE}


@grouped
def export(*, as_json: AsJson = False, connection: Connection) -> None:
    """Print integrations, products, marketplaces and connector templates as YAML, secrets by the names of variables.

    Example: dispatcher integrations export > integrations.yaml
    """
    declared = with_api(connection.access(), _exported)
    if as_json:
        print_json(declared)
    else:
        typer.echo(written(declared), nl=False)


@grouped
def apply(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `export` prints it; - = standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also unlink and delete what the file does not name.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Make everything as the file says: the difference is shown first, and nothing is deleted without --prune.

    Example: dispatcher integrations apply integrations.yaml --dry-run
    """
    declared = read_declared(file)
    access = connection.access()
    present = with_api(access, _present)
    steps = planned(declared, present, prune=prune)
    if as_json:
        print_json([_as_json(step) for step in steps])
    else:
        _show(steps)
    if dry_run or not steps:
        return
    question = "Make this change?" if len(steps) == 1 else f"Make these {len(steps)} changes?"
    if not (yes or as_json or agreed(question)):
        note("nothing was changed")
        raise typer.Exit(1)
    done = with_api(access, lambda client: _carry_out(client, steps))
    note(f"{times(done, 'change')} made")


async def _exported(client: Client) -> Declared:
    present = await _present(client)
    declared: Declared = {
        "integrations": [_integration(one, present) for one in present.integrations],
        "products": [_kept(one, "products") for one in present.products.values()],
        "marketplaces": [_kept(one, "marketplaces") for one in present.marketplaces],
        "connectorTemplates": [_template(one) for one in present.templates],
    }
    declared["products"] = [one for one in declared["products"] if len(one) > 1]
    return declared


def _integration(shown: dict[str, Any], present: Present) -> dict[str, Any]:
    document = reduced(shown)
    names = [one["name"] for one in present.integrations]
    name_secrets(title_of(shown["name"], shown["connectorId"], names), secrets_in(document))
    beside = {"published": shown["id"] in present.published, "products": shown["linkedProducts"]}
    named = {"connectorId": shown["connectorId"], "name": shown["name"]}
    return named | document | {key: value for key, value in beside.items() if value}


def _template(shown: dict[str, Any]) -> dict[str, Any]:
    entry = _kept(shown, "connector_templates")
    name_secrets(shown["name"], secrets_of_template(entry))
    return entry


def _kept(shown: dict[str, Any], collection: str) -> dict[str, Any]:
    """The declared part of it, without what says nothing."""
    return {name: shown[name] for name in SHOWN_OF[collection] if shown.get(name) not in (None, "", [], {}, False)}


async def _present(client: Client) -> Present:
    integrations = [one async for one in client.definitions.all()]
    published = {
        one["id"]: await client.definitions.get(one["id"], "PUBLISHED")
        for one in integrations
        if one["publishedRevision"]
    }
    marketplaces = await client.resources("marketplaces").all()
    linked = {product for one in integrations for product in one["linkedProducts"]}
    products = {}
    for product in sorted(linked | {one for shop in marketplaces for one in shop["productIds"]}):
        try:
            products[product] = await client.resources("products").get(product)
        except ApiError as error:
            if error.status != 404:
                raise
    templates = await client.resources("connector_templates").all()
    return Present(integrations, published, products, marketplaces, templates)


async def _carry_out(client: Client, steps: list[Step]) -> int:
    done = 0
    for step in steps:
        try:
            made = await step.act(client)
        except ApiError:
            note(f"stopped at: {step.title}; {done} of {times(len(steps), 'change')} made")
            raise
        if made is UNCHANGED:
            note(f"unchanged: {step.title}: what was given is what is stored")
            continue
        done += 1
        if isinstance(made, dict):
            if secret := made.get("signingSecret"):
                typer.echo(f"{step.title}: signing secret {secret}")
            for text in made.get("warnings") or ():
                note(f"warning: {step.title}: {text}")
    return done


def _show(steps: list[Step]) -> None:
    for step in steps:
        typer.secho(f"{step.sign} {step.title}", fg=COLOURS[step.sign])
        for one in step.changes:
            before = "" if step.sign == "+" else f"{_text(one.before)} → "
            typer.echo(f"    {one.path}: {before}{_text(one.after)}")
    if not steps:
        note("nothing to change")


def _text(value: Any) -> str:
    return cell(value) if isinstance(value, str | None) else cell(orjson.dumps(value, default=str).decode())


def _as_json(step: Step) -> dict[str, Any]:
    changes = [{"path": one.path, "before": one.before, "after": one.after} for one in step.changes]
    return {"sign": step.sign, "title": step.title, "changes": changes}

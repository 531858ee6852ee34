"""``dispatcher ping``: runs a ping test and shows it line by line, with what to do about each thing that is wrong."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.named_integration import integration_id
from dispatcher.cli.pinging.report import show_checks, show_end, show_result
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_json
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import TYPE_RULES, EventType, emittable_names, parse_event_type
from dispatcher.model.ping import PingVersion

POLL_S = 0.15

_TEST = """id version status trigger startedOn completedOn
  results { eventType url status success httpStatus errorCode message durationMs testedOn
    steps { name ok durationMs text remedy } }
  securityChecks { name eventType url status httpStatus durationMs testedOn text remedy }"""
_START = (
    "mutation Ping($input: TriggerProductIntegrationPingTestInput!) {"
    f" triggerProductIntegrationPingTest(input: $input) {{ test {{ {_TEST} }} userErrors {{ code message }} }} }}"
)
_LOOK = f"query Test($id: ID!, $test: ID!) {{ productIntegration(id: $id) {{ test(id: $test) {{ {_TEST} }} }} }}"


@grouped
def ping(
    *,
    integration: Annotated[str, typer.Argument(metavar="INTEGRATION", help="Integration: id or name.")],
    version: Annotated[PingVersion, typer.Option(case_sensitive=False, help="Which version.")] = PingVersion.WORKING,
    kinds: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="create, cancel, … or in full; repeat it.")
    ] = None,
    security: Annotated[bool, typer.Option("--security", help="Also send forgeries that it has to refuse.")] = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Send test notifications, one for each configured URL unless types are named. Exit status 1 if any fails.

    Example: dispatcher ping Acme --type create --security
    """
    asked = {
        "id": integration,
        "version": version.value,
        "eventTypes": [_kind(name).value for name in kinds] if kinds else None,
        "securityChecks": security,
    }
    test = with_api(connection.access(), lambda client: _run(client, asked))
    if test is None:
        raise typer.Exit(1)
    if as_json:
        print_json(test)
    else:
        for result in test["results"]:
            show_result(result)
        show_checks(test["securityChecks"])
        show_end(test)
    if test["status"] != "PASSED":
        raise typer.Exit(1)


async def _run(client: Client, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The test once it has ended, which it does by its deadline at the latest; None when it was refused."""
    asked = asked | {"id": await integration_id(client, asked["id"])}
    started = (await client.graphql(_START, {"input": asked}))["triggerProductIntegrationPingTest"]
    if started["userErrors"]:
        for error in started["userErrors"]:
            note(f"error: {error['message']}")
        return None
    test: dict[str, Any] = started["test"]
    while test["status"] == "RUNNING":
        await asyncio.sleep(POLL_S)
        found = (await client.graphql(_LOOK, {"id": asked["id"], "test": test["id"]}))["productIntegration"]
        if not found or not found["test"]:
            note("error: the integration was deleted, or many newer tests were started: ping again")
            return None
        test = found["test"]
    return test


def _kind(name: str) -> EventType:
    kind = parse_event_type(name)
    if kind is None or not TYPE_RULES[kind].emitted_by_callers:
        raise ConfigurationError(f"--type {name} cannot be pinged; use one of {', '.join(emittable_names())}")
    return kind

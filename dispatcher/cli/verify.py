"""``dispatcher verify``: checks the signature of a received notification and says which part is wrong. No network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli.terminal.output import print_json
from dispatcher.cli.terminal.typed_json import raw_bytes
from dispatcher.errors import ConfigurationError, RequestError
from dispatcher.policy.notification.signing import VerifyingKey, parse_verifying_key
from dispatcher.policy.notification.verification import TOLERANCE_S
from dispatcher.policy.notification.verification import verify as check


def verify(
    secret: Annotated[list[str], typer.Option(help="whsec_…, or whpk_… for v1a; repeat it while a secret rotates.")],
    msg_id: Annotated[str, typer.Option("--id", help="Header webhook-id.")],
    timestamp: Annotated[str, typer.Option(help="Header webhook-timestamp.")],
    signature: Annotated[str, typer.Option(help="Header webhook-signature.")],
    body_file: Annotated[
        Path, typer.Option(metavar="FILE", help="The raw bytes received; - = standard input.", show_default=False)
    ] = Path("-"),
    tolerance: Annotated[float, typer.Option(min=0, help="Seconds that the timestamp may be off.")] = TOLERANCE_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check headers and raw body as they arrived. Exit status 1 when the notification is not genuine.

    Example: dispatcher verify --secret $SECRET --id $ID --timestamp $TIME --signature $SIGNATURE --body-file body
    """
    keys = [_key(text) for text in secret]
    found = check(keys, msg_id, timestamp, signature, raw_bytes(body_file), now_s=time.time(), tolerance_s=tolerance)
    if as_json:
        print_json({"genuine": found.genuine, "wrong": found.wrong, "text": found.text})
    elif found.wrong is None:
        typer.secho(found.text, fg=typer.colors.GREEN)
    else:
        typer.secho(f"{found.wrong.value} is wrong: {found.text}", fg=typer.colors.RED)
    if not found.genuine:
        raise typer.Exit(1)


def _key(text: str) -> VerifyingKey:
    try:
        return parse_verifying_key(text.strip())
    except RequestError as error:
        raise ConfigurationError(f"--secret: {error}") from None

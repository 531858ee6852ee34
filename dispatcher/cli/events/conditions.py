"""Events that a verb is about: its options as the API's own conditions. Status and type are checked by the API."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Annotated

import typer

from dispatcher.cli.events.where import checked
from dispatcher.clock import iso_ms
from dispatcher.errors import ConfigurationError

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_UUID = re.compile(r"[0-9a-fA-F-]{36}")
_AGE = re.compile(r"(\d{1,9})([smhd])")


@dataclass(frozen=True, slots=True)
class ChangeConditions:
    """Options of a verb that follows changes; all that are given must hold."""

    where: Annotated[str | None, typer.Option(help="A filter, such as 'status:dead since:2h -account:acme'.")] = None
    status: Annotated[list[str] | None, typer.Option(help="Such as dead; repeat it for several.")] = None
    type: Annotated[list[str] | None, typer.Option(help="Such as create; repeat it for several.")] = None
    account: Annotated[str | None, typer.Option(help="Account id.")] = None
    integration: Annotated[str | None, typer.Option(help="Integration: id or name.")] = None

    def query(self) -> dict[str, str]:
        """Query parameters of those that were given."""
        given = {
            "status": ",".join(self.status or ()).upper(),
            "type": ",".join(self.type or ()),
            "accountId": self.account,
            "integrationId": self.integration,
            "q": checked(self.where) if self.where is not None else None,
        }
        if self.integration and not _UUID.fullmatch(self.integration):
            given["integrationId"] = None
            given["q"] = " ".join(filter(None, (given["q"], f"integration:{_quoted(self.integration)}")))
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Conditions(ChangeConditions):
    """Options of a verb that finds events."""

    product: Annotated[str | None, typer.Option(help="Product id.")] = None
    since: Annotated[str | None, typer.Option(help="Accepted since: 90s, 15m, 1h, 2d or an ISO 8601 time.")] = None

    def query(self) -> dict[str, str]:
        found = ChangeConditions.query(self)
        if self.product:
            found["productId"] = self.product
        if self.since:
            found["from"] = since_moment(self.since, time.time())
        return found

    def body(self) -> dict[str, str | list[str]]:
        """The same as JSON, where several values are a list."""
        several = ("status", "type")
        return {name: value.split(",") if name in several else value for name, value in self.query().items()}


def _quoted(text: str) -> str:
    """``text`` as one value of the filter grammar."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def since_moment(text: str, now_s: float) -> str:
    """An age as the moment that long before ``now_s``; anything else unchanged, for the API to read."""
    if found := _AGE.fullmatch(text.strip().lower()):
        return iso_ms(max(0, int((now_s - int(found[1]) * UNITS_S[found[2]]) * 1000)))
    if not text[:4].isdigit():
        raise ConfigurationError(f"--since {text} is neither an age such as 15m, 1h or 2d nor an ISO 8601 time")
    return text

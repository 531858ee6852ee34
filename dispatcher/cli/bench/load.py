"""The load of a run: how many events, how fast, and which. Sends nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
import typer

PAYLOAD_BYTES = 1024
"""Of the payload's JSON in every event."""


@dataclass(frozen=True, slots=True)
class Load:
    """Options of a run; bounded, so that nobody floods what others use by a slip of the hand."""

    events: Annotated[int, typer.Option(min=1, max=100_000, help="Events to send.")] = 2000
    rate: Annotated[int, typer.Option(min=1, max=2000, help="Events a second; sent whether or not others wait.")] = 200
    accounts: Annotated[int, typer.Option(min=1, max=10_000, help="Accounts among them; each keeps its order.")] = 100
    within: Annotated[int, typer.Option(min=1, max=3600, help="Seconds to wait for what is not there yet.")] = 60

    @property
    def seconds(self) -> float:
        return self.events / self.rate


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one run: every key holds its name, so that a run never meets another's events."""

    product: str
    accounts: int
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def event(self, number: int) -> dict[str, Any]:
        """As the body of ``POST /v1/events``."""
        account = f"bench-{self.run}-{number % self.accounts}"
        return {
            "type": "SUBSCRIPTION_CHANGE",
            "productId": self.product,
            "accountId": account,
            "payload": payload(),
        }

    def key(self, number: int) -> str:
        """The same however often an event is sent in."""
        return f"bench-{self.run}-{number}"


def payload() -> dict[str, object]:
    """A change of subscription whose JSON has ``PAYLOAD_BYTES``."""
    order = {"editionCode": "PREMIUM", "pricingDuration": "MONTHLY", "items": [{"unit": "USER", "quantity": 25}]}
    company = {"uuid": "6f2b7c1e-0d5a-4b7f-9a54-0b9a6c1f2d3e", "name": "Example GmbH", "country": "DE"}
    filled: dict[str, object] = {"company": company, "order": order, "configuration": {"notes": ""}}
    missing = PAYLOAD_BYTES - len(orjson.dumps(filled))
    return filled | {"configuration": {"notes": "n" * missing}}

"""The load of a run: how many events, how fast, and which. Sends nothing."""

from __future__ import annotations

import random
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
            "payload": payload(number),
        }

    def key(self, number: int) -> str:
        """The same however often an event is sent in."""
        return f"bench-{self.run}-{number}"


_VOCABULARY = (
    "account agreed approved archive billing branch budget change colleagues contact contract deadline delivery "
    "department during engineering evening extended finance forward holiday include invoice laptop licence manager "
    "migration morning needed office onboarding order partner phone please project purchase quarter region renewal "
    "replace request review rollout sales seats security separate service staff started support team training transfer "
    "until upgrade vendor warehouse weekly yearly"
)
_MANY = 80
"""Words that are longer than what is missing."""
_FIRST = ("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Femi", "Greta", "Hiro")
_LAST = ("Abara", "Brandt", "Costa", "Dufour", "Eklund", "Fontana")
_TOWNS = ("Lyon", "FR"), ("Graz", "AT"), ("Porto", "PT"), ("Malmö", "SE"), ("Bristol", "GB"), ("Austin", "US")


def payload(number: int) -> dict[str, object]:
    """A change of subscription in the documented shape, of ``PAYLOAD_BYTES``; the same for a number, one for each."""
    draw = random.Random(number)  # noqa: S311 - figures to be repeated, no secrets
    first, last, (town, country) = draw.choice(_FIRST), draw.choice(_LAST), draw.choice(_TOWNS)
    domain = f"{last.lower()}-{draw.randrange(10_000)}.example"
    configuration = {"tenant": f"{draw.getrandbits(48):012x}", "city": town, "notes": ""}
    filled: dict[str, object] = {
        "user": {
            "uuid": _uuid(draw),
            "email": f"{first.lower()}@{domain}",
            "firstName": first,
            "lastName": last,
            "language": country.lower(),
            "locale": f"{country.lower()}-{country}",
            "attributes": None,
        },
        "company": {
            "uuid": _uuid(draw),
            "externalId": None,
            "name": f"{last} {town}",
            "email": None,
            "phoneNumber": f"+{draw.randrange(10**11, 10**12)}",
            "website": f"https://www.{domain}",
            "country": country,
        },
        "account": {
            "accountIdentifier": str(draw.randrange(10**9)),
            "status": "ACTIVE",
            "parentAccountIdentifier": None,
        },
        "addonInstance": None,
        "addonBinding": None,
        "order": {
            "editionCode": draw.choice(("TEAM", "BUSINESS", "CAMPUS")),
            "addonOfferingCode": None,
            "pricingDuration": draw.choice(("MONTHLY", "YEARLY")),
            "items": [{"unit": unit, "quantity": draw.randrange(1, 500)} for unit in ("USER", "GIGABYTE")],
            "discountCode": None,
            "freeTrial": {"active": False},
            "customAttributes": [],
        },
        "notice": None,
        "configuration": configuration,
    }
    missing = PAYLOAD_BYTES - len(orjson.dumps(filled))
    configuration["notes"] = " ".join(draw.choices(_VOCABULARY.split(), k=_MANY))[:missing]
    return filled


def _uuid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))

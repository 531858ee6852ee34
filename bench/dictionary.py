"""Trains a dictionary for contents of events: ``python -m bench.dictionary FILE``. The same bytes every time.

From invented bodies of the documented shapes, each type alike, and of shapes that are common in webhooks elsewhere. A
dictionary that was shipped is never trained anew: what it packed can be read with its very bytes alone.
"""

from __future__ import annotations

import random
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import zstandard

from dispatcher.catalogue.parts import PARTS
from dispatcher.catalogue.samples import sample_payload
from dispatcher.model.event_type import EventType
from dispatcher.policy.payload_rules import ACCOUNT_STATUSES, PRICING_DURATIONS

SIZE = 24 * 1024
SAMPLES = 12_000
LEVEL = 3

Draw = random.Random

_PROSE_TEXT = (
    "the of and to in for is on with your you that this has been will not are by from at be please contact account "
    "order payment subscription customer user company update change cancel invoice service product support request "
    "number team email address date month year price total item quantity shipped delivered created failed success "
    "about above access active added after again against agreement all already also amount another answer any approve "
    "april archive area as assigned attached august available back balance bank because before begin below between "
    "bill billing board both branch build business button but call can card case category charge check city class "
    "client close code comment common complete condition confirm connection content contract control copy cost could "
    "country course credit current daily data day december default department describe detail device different direct "
    "discount do does done down draft due during each early east edit employee enable end engineer english enter "
    "error even every example expire extra fee field file final find first follow form free friday full further "
    "general get give go good group had have he help her here high his history home hour how id if important include "
    "increase information inside install instead interest internal into issue january job july june just keep key "
    "know language large last late later lead least left less level license limit line link list live local location "
    "long look low made main make manage manager many march market material may me media meeting member message "
    "middle minute missing mobile monday more most move much must my name need never new next no north note notice "
    "november now october off office old one only open option or original other our out over own owner package page "
    "paid part partner password past pay per period person phone place plan point position possible private problem "
    "process profile program project provide public purchase quality question rate read ready real reason receive "
    "record reference refund region register related release remove renew replace report required reset resource "
    "result return review right role rule run same saturday save schedule search second section security see select "
    "send sent september server set several she should show side sign since site size small so software some source "
    "south space special staff standard start state status still store street such sunday system table take task tax "
    "terms test than their them then there these they thing through thursday time today together too transaction "
    "transfer trial tuesday two type under unit until up upgrade us use used using valid value version very view "
    "visit want was way we website wednesday week well west what when where which while who why within without work "
    "world would write yes yesterday"
)
_NAMES, _FAMILIES, _CITIES, _PROSE = (
    text.split()
    for text in (
        "Alex Kim Maria Jose Anna Peter Laura Thomas Julia Daniel Sofia Michael Emma Lucas Chen Yuki Omar Priya",
        "Smith Garcia Müller Rossi Novak Silva Martin Jensen Kowalski Tanaka Singh Hansen Weber Lopez",
        "London Paris Berlin Madrid Rome Vienna Zürich New_York Boston Chicago Toronto Sydney Amsterdam",
        _PROSE_TEXT,
    )
)


def samples(draw: Draw) -> list[bytes | bytearray | memoryview[int]]:
    """As documents have them: creator and payload behind everything else."""
    makers: tuple[Callable[[Draw], dict[str, Any]], ...] = (_documented, _documented, _elsewhere)
    return [b"," + orjson.dumps(makers[number % len(makers)](draw))[1:] for number in range(SAMPLES)]


def train() -> bytes:
    trained = zstandard.train_dictionary(SIZE, samples(Draw(1)), level=LEVEL, dict_id=1)
    return trained.as_bytes()


def _documented(draw: Draw) -> dict[str, Any]:
    kind = draw.choice(list(EventType))
    parts = {name: _part(draw, name) for name in PARTS if draw.random() < 0.6}
    payload = {**sample_payload(kind), **parts}
    if draw.random() < 0.5:
        payload = {name: payload.get(name) for name in PARTS}
    return ({"c": _creator(draw)} if draw.random() < 0.5 else {}) | {"d": payload}


def _part(draw: Draw, name: str) -> Any:
    parts: dict[str, Callable[[], Any]] = {
        "user": lambda: _person(draw) | {"attributes": None},
        "company": lambda: _company(draw),
        "account": lambda: {
            "accountIdentifier": str(draw.randrange(10**6)),
            "status": draw.choice(sorted(ACCOUNT_STATUSES)),
            "parentAccountIdentifier": None,
        },
        "addonInstance": lambda: {"id": str(draw.randrange(10**6))},
        "addonBinding": lambda: {"id": str(draw.randrange(10**6))},
        "order": lambda: _order(draw),
        "notice": lambda: {
            "type": draw.choice(("DEACTIVATED", "REACTIVATED", "UPCOMING_INVOICE")),
            "message": _prose(draw),
        },
        "configuration": lambda: {draw.choice(("domain", "tenant", "region", "plan", "notes")): _prose(draw)},
    }
    return parts[name]()


def _person(draw: Draw) -> dict[str, Any]:
    first, last = draw.choice(_NAMES), draw.choice(_FAMILIES)
    return {
        "uuid": _uuid(draw),
        "email": f"{first}.{last}@{draw.choice(('example.com', 'gmail.com', 'company.com', 'mail.de'))}".lower(),
        "firstName": first,
        "lastName": last,
        "language": draw.choice(("en", "de", "fr", "es")),
        "locale": draw.choice(("en-US", "en-GB", "de-DE", "fr-FR", "es-ES")),
    }


def _creator(draw: Draw) -> dict[str, Any]:
    person = _person(draw)
    opened = {"openId": f"https://marketplace.example.com/openid/id/{person['uuid']}"}
    return {"uuid": person["uuid"]} | opened | person | {"address": _address(draw), "attributes": None}


def _address(draw: Draw) -> dict[str, Any]:
    return {
        "street1": f"{draw.randrange(1, 999)} {draw.choice(_FAMILIES)} Street",
        "street2": None,
        "city": draw.choice(_CITIES).replace("_", " "),
        "state": draw.choice(("CA", "NY", None)),
        "zip": str(draw.randrange(10_000, 99_999)),
        "country": draw.choice(("US", "DE", "FR", "GB", "ES", "IT")),
    }


def _company(draw: Draw) -> dict[str, Any]:
    name = f"{draw.choice(_FAMILIES)} {draw.choice(('GmbH', 'Inc.', 'Ltd', 'LLC', 'AG', 'S.A.'))}"
    site = f"https://www.{name.split(maxsplit=1)[0].lower()}.com"
    known = {"uuid": _uuid(draw), "externalId": None, "name": name, "email": None}
    return known | {"phoneNumber": f"+{draw.randrange(10**10, 10**11)}", "website": site, "country": "US"}


def _order(draw: Draw) -> dict[str, Any]:
    return {
        "editionCode": draw.choice(("BASIC", "PREMIUM", "STANDARD", "PROFESSIONAL", "ENTERPRISE", "FREE")),
        "addonOfferingCode": None,
        "pricingDuration": draw.choice(sorted(PRICING_DURATIONS)),
        "items": [
            {"unit": draw.choice(("USER", "GIGABYTE", "LICENSE", "SEAT")), "quantity": draw.randrange(1, 200)}
            for _ in range(draw.randrange(3))
        ],
        "discountCode": None,
        "freeTrial": {"active": draw.random() < 0.5},
        "customAttributes": [],
    }


def _elsewhere(draw: Draw) -> dict[str, Any]:
    """An object as many services send it."""
    day = f"20{draw.randrange(24, 30)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 28):02d}"
    at = f"{day}T{draw.randrange(24):02d}:00:00Z"
    lines = [
        {
            "id": draw.randrange(10**6),
            "name": _prose(draw),
            "quantity": draw.randrange(9),
            "price": f"{draw.randrange(99)}.00",
        }
        for _ in range(draw.randrange(3))
    ]
    body = {
        "id": draw.choice((_uuid(draw), draw.randrange(10**8))),
        "object": draw.choice(("event", "invoice", "customer", "order", "payment")),
        "type": draw.choice(("created", "updated", "deleted", "order.created", "invoice.paid", "user.updated")),
        "status": draw.choice(("active", "pending", "paid", "open", "closed", "completed", "failed")),
        "createdAt": at,
        "updated_at": at,
        "data": {"customer": _person(draw) | {"phone": None}, "address": _address(draw), "items": lines},
        "currency": draw.choice(("USD", "EUR", "GBP")),
        "amount": draw.randrange(10**5),
        "metadata": {},
        "description": _prose(draw),
        "url": f"https://api.example.com/v1/{draw.choice(('orders', 'users', 'events'))}/{draw.randrange(10**6)}",
        "enabled": draw.random() < 0.5,
        "message": None,
    }
    kept = draw.sample(sorted(body), draw.randrange(5, len(body)))
    return {"d": {name: body[name] for name in body if name in kept}}


def _prose(draw: Draw) -> str:
    return " ".join(draw.choices(_PROSE, k=draw.randrange(1, 12)))


def _uuid(draw: Draw) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(train())
